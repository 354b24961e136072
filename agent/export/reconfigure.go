package export

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Settings are those of Options that may change while the exporter runs.
type Settings struct {
	Export config.Export // where to send; Spool and MetricsEvery stay as they were
	Window config.Window
	Models []Model
}

// Reconfigure changes where the exporter sends and what it declares, between two
// requests. A model whose baseline changed is declared again, before any window
// under the new one; one that is gone says that its run is complete. On an error
// everything is as it was.
func (e *Exporter) Reconfigure(s Settings) error {
	client, err := newClient(s.Export)
	if err != nil {
		return err
	}
	e.wrap(client)
	old := e.aim(client, s.Export)
	old.CloseIdleConnections()

	ctx := context.Background()
	e.mu.Lock()
	gone := e.adopt(s)
	for _, m := range gone {
		if m.begun {
			e.declareModel(ctx, m, complete)
		}
	}
	e.mu.Unlock()
	e.declare(ctx, due)
	return nil
}

// adopt takes the settings over and gives the versions of models that are gone.
func (e *Exporter) adopt(s Settings) (gone []*declared) {
	e.settings.Store(&s)
	for i := range s.Models {
		m := &s.Models[i]
		known := false
		for _, d := range e.models {
			if d.Name != m.Name || m.Version != "" && d.Version != m.Version {
				continue
			}
			known = true
			d.due = d.due || digestOf(d.Baseline) != digestOf(m.Baseline)
			d.Baseline, d.References = m.Baseline, m.References
		}
		if !known {
			e.models = append(e.models, &declared{Model: *m, runID: uuid.NewString(), due: true})
		}
	}
	e.models = slices.DeleteFunc(e.models, func(d *declared) bool {
		stays := slices.ContainsFunc(s.Models, func(m Model) bool {
			return m.Name == d.Name && (m.Version == "" || m.Version == d.Version)
		})
		if !stays {
			gone = append(gone, d)
		}
		return !stays
	})
	return gone
}

// digestOf identifies a baseline; empty where there is none.
func digestOf(b *signal.Baseline) signal.Digest {
	if b == nil {
		return ""
	}
	d, err := b.Digest()
	if err != nil {
		return "" // it is declared again, which says what is wrong
	}
	return d
}

// aim points the senders at a collector, and gives the client that they had.
func (e *Exporter) aim(client *http.Client, c config.Export) (before *http.Client) {
	before, e.client = e.client, client
	for _, s := range e.senders {
		s.aim(client, strings.TrimSuffix(c.Endpoint, "/"), c.TokenFile)
	}
	return before
}

// wrap lets the owner look at the round trips to the collector.
func (e *Exporter) wrap(client *http.Client) {
	if e.o.Wrap != nil {
		client.Transport = e.o.Wrap(client.Transport)
	}
}

// aim changes where the next attempt goes.
func (s *sender) aim(client *http.Client, endpoint, tokenFile string) {
	s.aiming.Lock()
	defer s.aiming.Unlock()
	s.client, s.endpoint, s.tokenFile = client, endpoint, tokenFile
}

// target gives where to send now.
func (s *sender) target() (client *http.Client, endpoint, tokenFile string) {
	s.aiming.RLock()
	defer s.aiming.RUnlock()
	return s.client, s.endpoint, s.tokenFile
}

// acknowledged notes when the collector took something.
func (s *sender) acknowledged() {
	if s.taken != nil {
		s.taken.Store(s.now().Unix())
	}
}
