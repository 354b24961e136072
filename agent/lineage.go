package agent

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/agent/changes"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/digest"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// loadLineage makes the sources of what stands behind the model's answers.
func (m *monitored) loadLineage(at *config.Faults) {
	from := map[signal.LineagePart]digest.Source{}
	for part, s := range m.LineageSources() {
		if !s.Given() {
			continue
		}
		source := digest.Source{Literal: s.Literal, Header: s.Header}
		if s.File != "" {
			open := digest.Open
			if part == signal.PartRun {
				open = digest.OpenText
			}
			var err error
			if source.File, err = open(s.File); err != nil {
				agentconfig.LineageAt(at, part).At("file").Add("%v", err)
				continue
			}
		}
		from[part] = source
	}
	m.lineage = digest.New(from)
	m.headers = append(m.headers, m.lineage.Headers()...)
}

// behind gives what stood behind an exchange.
func (m *monitored) behind(x *tap.Exchange) signal.Lineage {
	return m.lineage.Of(x.Headers, x.Answered)
}

// lineageCounts count a model's predictions by how much is known of what stood
// behind them, over all plans.
type lineageCounts struct {
	complete, incomplete atomic.Uint64
	missing              [len(signal.Lineage{})]atomic.Uint64 // by part
}

// countLineage counts the rows of an observation that is profiled, and looks
// whether headers name something else than before.
func (a *Agent) countLineage(m *served, obs *signal.Observation) {
	counts, rows := &a.tallyOf(m.Name).lineage, uint64(obs.Rows)
	missing := m.lineage.Missing(&obs.Lineage)
	complete := true
	for part, is := range missing {
		if is {
			complete = false
			counts.missing[part].Add(rows)
		}
	}
	if complete {
		counts.complete.Add(rows)
	} else {
		counts.incomplete.Add(rows)
	}
	m.lineage.Each(func(part signal.LineagePart, s *digest.Source) {
		if s.Header != "" {
			a.seePart(m.monitored, obs.Model.Version, part, obs.Lineage[part], signal.FoundHeader)
		}
	})
}

// seePart looks at what names a part, where it is known. A run is no part of a
// model: another one is no change.
func (a *Agent) seePart(m *monitored, version string, part signal.LineagePart, value string, found signal.ChangeFound) {
	if value == "" || part == signal.PartRun {
		return
	}
	if m.Version != "" {
		version = m.Version
	}
	a.see(changes.Sight{
		Model: signal.ModelRef{Name: m.Name, Version: version}, Of: signal.ChangeOf(part.String()), Value: value, Found: found,
		Alone: found != signal.FoundHeader,
	})
}

// seeLineage looks at what the configuration and files name.
func (a *Agent) seeLineage(m *monitored) {
	m.lineage.Each(func(part signal.LineagePart, s *digest.Source) {
		switch {
		case s.File != nil:
			a.seePart(m, m.Version, part, s.File.Value(), signal.FoundFile)
		case s.Literal != "":
			a.seePart(m, m.Version, part, s.Literal, signal.FoundConfiguration)
		}
	})
}

// filesEvery is how often files that are used beside requests are looked at.
const filesEvery = time.Second

// followDigests takes digests of files again when they have changed.
func (a *Agent) followDigests(ctx context.Context) {
	everySoOften(ctx, filesEvery, func() {
		for _, s := range a.plan().inOrder() {
			a.refreshDigests(ctx, s.monitored)
		}
	})
}

func (a *Agent) refreshDigests(ctx context.Context, m *monitored) {
	m.lineage.Each(func(part signal.LineagePart, s *digest.Source) {
		if s.File == nil {
			return
		}
		changed, err := s.File.Refresh(ctx)
		if err != nil {
			a.log.Error("what stands behind the answers is not known", "model", m.Name, "part", part, "error", err)
		}
		if changed {
			a.log.Info("something else stands behind the answers", "model", m.Name, "part", part, "file", s.File.Path(), "value", s.File.Value())
			a.seePart(m, m.Version, part, s.File.Value(), signal.FoundFile)
		}
	})
}

// everySoOften calls f at once and then by the clock, until ctx ends.
func everySoOften(ctx context.Context, every time.Duration, f func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ctx.Err() == nil {
		f()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// statusOfLineage says what stands behind the models' answers, as far as it does
// not come with each of them, and how much of it was known.
func (a *Agent) statusOfLineage(w io.Writer) {
	line(w, "lineage", "complete", "incomplete", "missing")
	for _, s := range a.plan().inOrder() {
		c := &a.tallyOf(s.Name).lineage
		row := []any{"  " + s.Name, c.complete.Load(), c.incomplete.Load()}
		for _, part := range signal.LineageParts() {
			if n := c.missing[part].Load(); n > 0 {
				row = append(row, fmt.Sprintf("%s %d", part, n))
			}
		}
		line(w, row...)
		s.lineage.Each(func(part signal.LineagePart, source *digest.Source) {
			if source.File != nil {
				line(w, "    "+part.String(), orDash(source.File.Value()), source.File.Path())
			}
		})
	}
	line(w)
}

// lineageFigures show how many predictions have all behind them known.
func (a *Agent) lineageFigures() []export.Figure {
	return []export.Figure{
		{
			Name: signal.MetricLineagePredictions, Unit: "{prediction}", Counter: true,
			About: "Profiled rows, by whether all that should be known of what stood behind the answer was.",
			Read: func(tell tell) {
				for _, name := range a.plan().names() {
					c := &a.tallyOf(name).lineage
					tell(float64(c.complete.Load()), modelLabel(name), export.Label{Key: signal.KeyLineageState, Value: signal.LineageComplete})
					tell(float64(c.incomplete.Load()), modelLabel(name), export.Label{Key: signal.KeyLineageState, Value: signal.LineageIncomplete})
				}
			},
		},
		{
			Name: signal.MetricLineageMissing, Unit: "{prediction}", Counter: true,
			About: "Profiled rows of which a part of the lineage was not known, by part.",
			Read: func(tell tell) {
				for _, name := range a.plan().names() {
					c := &a.tallyOf(name).lineage
					for _, part := range signal.LineageParts() {
						tell(float64(c.missing[part].Load()), modelLabel(name), export.Label{Key: signal.KeyLineagePart, Value: part.String()})
					}
				}
			},
		},
	}
}
