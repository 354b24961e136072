package export

import (
	"context"
	"slices"

	"github.com/evenkeel/evenkeel/signal"
)

// Changed tells that something else of a model is served than before, and declares
// the version that is served now. It returns nil only when the change is durable.
func (e *Exporter) Changed(ctx context.Context, c *signal.ModelChange) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.o.Guard.Try(partEvidence, func() error {
		return e.evidence.Write(ctx, []event{{name: signal.EventModelChanged, at: c.Time, attrs: c.Attrs()}})
	})
	if err != nil || c.Of != signal.ChangeVersion {
		return err // another baseline is declared by Reconfigure
	}
	if c.Old != "" { // its run is not the new one's, though it has closed no window yet
		e.meet(ctx, signal.ModelRef{Name: c.Model.Name, Version: c.Old})
	}
	again := slices.IndexFunc(e.models, func(m *declared) bool {
		return m.Name == c.Model.Name && m.Version == c.Model.Version && m.begun
	})
	if again >= 0 {
		e.declareModel(ctx, e.models[again], everything)
	} else {
		e.meet(ctx, c.Model)
	}
	return nil
}
