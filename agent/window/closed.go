package window

import (
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Closed is one finished window of one model: one atomic piece of evidence.
// The profiler gives it away and keeps no reference.
type Closed struct {
	Model         signal.ModelRef
	ID            signal.WindowID
	Start, End    time.Time
	Baseline      *signal.Baseline       // nil where the model has none
	Distributions []*signal.Distribution // columns, what is derived from them, and groups; Parts is set
	Capture       signal.Capture
	Lineage       []signal.LineageCount // what stood behind its requests; its distributions share it
}
