package export

import (
	"context"
	"errors"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Evaluation is what is told about one judgement.
type Evaluation struct {
	At    time.Time
	Attrs []signal.Attr
}

// Evaluate writes judgements to the spool, all in one request, and returns nil only
// when they are durable. Where evidence waits in half of the spool it takes none,
// which is errs.Exhausted: windows need the rest, and who judges can judge again.
func (e *Exporter) Evaluate(ctx context.Context, all []Evaluation) error {
	if e.spool.Counts(Logs).Bytes > e.spool.max/2 {
		return errs.E("take evaluations", errs.Exhausted, errors.New("the export spool is half full"), "send them again when the collector is back")
	}
	events := make([]event, len(all))
	for i, one := range all {
		events[i] = event{name: signal.EventEvaluation, at: one.At, attrs: one.Attrs}
	}
	return e.o.Guard.Try(partEvidence, func() error { return e.evidence.Write(ctx, events) })
}
