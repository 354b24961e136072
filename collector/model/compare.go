package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Counted asks which rows were counted of columns of a model.
type Counted struct {
	System  signal.SystemID    // empty: any
	Model   string             // by name
	Version string             // empty: all versions
	Feature signal.FeatureName // a feature or an output; empty: all
	From    time.Time          // windows that ended after
	To      time.Time          // and until
}

// CountedSum is the sum of what was counted of one column under the same cells
// and at the same rate, over all windows and replicas that were asked for. What
// tells replicas apart is empty: Window, Parts, Groups and the rest of what does
// not add up.
type CountedSum struct {
	signal.Distribution
	Versions  []string // that were counted in, sorted
	Windows   uint64
	Instances uint64
}

// CountReader sums distributions where they are stored.
type CountReader interface {
	// SumCounted gives the sums of features and predictions, ordered by system,
	// target, feature, bounds, baseline and rate. A window that was stored twice
	// counts once. Nothing found is an empty result.
	SumCounted(ctx context.Context, q Counted) ([]CountedSum, error)
}
