package export

import (
	"context"

	"github.com/evenkeel/evenkeel/signal"
)

// PublishOutcomes writes how predictions turned out to the spool, as a window
// event of its own. It returns nil only when that is durable; the caller keeps
// what it could not write, and tries again.
func (e *Exporter) PublishOutcomes(ctx context.Context, d *signal.Distribution) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meet(ctx, d.Model)
	return e.o.Guard.Try(partEvidence, func() error {
		return e.evidence.Write(ctx, []event{{name: signal.EventWindowProfile, at: d.End, attrs: signal.EncodeDistribution(d)}})
	})
}
