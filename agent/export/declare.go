package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// declared is what the collector was told about one version of a model: that
// it serves, and with which baseline it is compared. Each is a run of its own.
type declared struct {
	Model
	runID string // of this start of the agent
	begun bool   // START is in the spool
	due   bool   // new, or the last declaration failed
}

// maxDeclared bounds the model versions that are declared; a response may
// claim any version.
const maxDeclared = 64

func newDeclared(models []Model) []*declared {
	out := make([]*declared, len(models))
	for i, m := range models {
		out[i] = &declared{Model: m, runID: uuid.NewString(), due: true}
	}
	return out
}

// occasion says what a round of declarations is about.
type occasion int

const (
	due        occasion = iota // models that are new or changed
	everything                 // all, since the time has come
	complete                   // all, the agent stops
)

// declare writes the declarations of an occasion. What fails is due again at
// the next heartbeat.
func (e *Exporter) declare(ctx context.Context, o occasion) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range e.models {
		if o == everything || o == complete && m.begun || o == due && m.due {
			e.declareModel(ctx, m, o)
		}
	}
}

// meet takes note of a model's version; a new one is declared before its
// first window. A model that was declared before its version was known goes on
// under the first version that is seen.
func (e *Exporter) meet(ctx context.Context, ref signal.ModelRef) {
	var m *declared
	for _, known := range e.models {
		if known.Name != ref.Name {
			continue
		}
		if known.Version == ref.Version {
			return
		}
		if known.Version == "" || m == nil {
			m = known
		}
	}
	if m == nil || len(e.models) >= maxDeclared {
		return
	}
	if m.Version != "" {
		m = &declared{Model: m.Model, runID: uuid.NewString()}
		e.models = append(e.models, m)
	}
	m.Version = ref.Version
	e.o.Log.Info("model version seen", "model", ref.Name, "version", ref.Version)
	e.declareModel(ctx, m, due)
}

func (e *Exporter) declareModel(ctx context.Context, m *declared, o occasion) {
	m.due = true
	err := e.o.Guard.Try(partEvidence, func() error {
		events, err := e.declaration(m, o)
		if err != nil {
			return err
		}
		return e.evidence.Write(ctx, events)
	})
	if err != nil {
		e.o.Log.Warn("a model could not be declared; it is tried again", "model", m.Name, "error", err)
		return
	}
	m.begun, m.due = true, false
}

// declaration gives a model's records: the baseline, so that the collector can
// recompute every score, and the lineage.
func (e *Exporter) declaration(m *declared, o occasion) ([]event, error) {
	now := e.o.Now()
	ref := signal.ModelRef{Name: m.Name, Version: m.Version}
	run := signal.ServiceRun{
		Type: runType(m, o), Time: now, RunID: m.runID, System: e.o.Identity.System, Model: ref,
		Producer: e.o.Identity.producer(),
	}
	var out []event
	if m.Baseline != nil {
		content, err := canonical.JSON(m.Baseline)
		if err != nil {
			return nil, fmt.Errorf("baseline of %s: %w", m.Name, err)
		}
		run.Baseline = signal.Digest(canonical.Sum(content))
		out = append(out, event{name: signal.EventBaseline, at: now, body: string(content), attrs: []signal.Attr{
			{Key: signal.KeyModelName, Value: ref.Name},
			{Key: signal.KeyModelVersion, Value: ref.Version},
			{Key: signal.KeyBaselineID, Value: string(run.Baseline)},
		}})
	}
	body, err := json.Marshal(run.Event())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lineage of %s", m.Name), err)
	}
	return append(out, event{name: signal.EventLineageRun, at: now, body: string(body), attrs: []signal.Attr{
		{Key: signal.KeyModelName, Value: ref.Name},
		{Key: signal.KeyModelVersion, Value: ref.Version},
		{Key: signal.KeyLineageEventType, Value: string(run.Type)},
	}}), nil
}

func runType(m *declared, o occasion) signal.RunEventType {
	switch {
	case o == complete:
		return signal.RunComplete
	case !m.begun:
		return signal.RunStart
	}
	return signal.RunRunning
}
