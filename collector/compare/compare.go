package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Store is what a comparison reads.
type Store interface {
	model.CountReader
	// Baseline gives a declared baseline; errs.NotFound if it was never declared.
	Baseline(ctx context.Context, digest signal.Digest) (*signal.Baseline, error)
}

// Range is a range of time: windows that ended in (From, To].
type Range struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Question is what is compared: what was served in Current, held against what
// was served in Against.
type Question struct {
	System  signal.SystemID    // may be empty where the model's name is of one system only
	Model   string             // by name
	Version string             // of the current side; empty: all versions
	Before  string             // version of the side against; empty: Version's
	Feature signal.FeatureName // a feature or an output; empty: all
	Current Range
	Against Range
}

// Result is the answer, one column for each feature and output.
type Result struct {
	System  signal.SystemID `json:"system"`
	Model   string          `json:"model"`
	Current Range           `json:"current"`
	Against Range           `json:"against"`
	Columns []Column        `json:"columns"`
	Skipped []Skipped       `json:"skipped,omitempty"` // only where all columns were asked for
}

// Skipped is a column that cannot be compared, and why.
type Skipped struct {
	Feature signal.FeatureName `json:"feature"`
	Target  signal.Target      `json:"target"`
	Reason  string             `json:"reason"`
}

// Compare answers a question. Errors are of kind Invalid (the question),
// NotFound (nothing was counted on a side, or of such a feature) or Conflict
// (the cells of the two sides mean different things).
func Compare(ctx context.Context, store Store, q Question) (*Result, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	current, err := store.SumCounted(ctx, q.side(q.Current, q.Version))
	if err != nil {
		return nil, err
	}
	before := q.Before
	if before == "" {
		before = q.Version
	}
	against, err := store.SumCounted(ctx, q.side(q.Against, before))
	if err != nil {
		return nil, err
	}
	system, err := q.oneSystem(current, against)
	if err != nil {
		return nil, err
	}
	out := &Result{System: system, Model: q.Model, Current: q.Current, Against: q.Against, Columns: []Column{}}
	c := comparer{store: store, q: &q, baselines: map[signal.Digest]*signal.Baseline{}}
	if err := c.columns(ctx, out, current, against); err != nil {
		return nil, err
	}
	return out, nil
}

func (q *Question) validate() error {
	switch {
	case q.Model == "":
		return errs.E("compare", errs.Invalid, errors.New("no model"), "name one, as its agents do")
	case !q.Current.From.Before(q.Current.To), !q.Against.From.Before(q.Against.To):
		return errs.E("compare", errs.Invalid, errors.New("a range ends before it begins"), "from is before to, on both sides")
	}
	return nil
}

func (q *Question) side(r Range, version string) model.Counted {
	return model.Counted{System: q.System, Model: q.Model, Version: version, Feature: q.Feature, From: r.From, To: r.To}
}

// oneSystem gives the system that the sums are of. Two systems may call their
// models alike, and their rows have nothing to do with each other.
func (q *Question) oneSystem(current, against []model.CountedSum) (signal.SystemID, error) {
	var systems []string
	for _, sums := range [][]model.CountedSum{current, against} {
		for i := range sums {
			systems = append(systems, string(sums[i].System))
		}
	}
	slices.Sort(systems)
	systems = slices.Compact(systems)
	for _, side := range []struct {
		name string
		sums []model.CountedSum
		span Range
	}{{"the time asked for", current, q.Current}, {"the time to hold it against", against, q.Against}} {
		if len(side.sums) == 0 {
			return "", errs.E("compare", errs.NotFound, fmt.Errorf("nothing was counted of %s in %s, %s", q.what(), side.name, side.span),
				"look at the names and at GET /api/v1/windows for what there is")
		}
	}
	if len(systems) > 1 {
		return "", errs.E("compare", errs.Invalid, fmt.Errorf("model %q is of several systems: %s", q.Model, strings.Join(systems, ", ")), "say which: system=")
	}
	return signal.SystemID(systems[0]), nil
}

// what names the subject of the question.
func (q *Question) what() string {
	text := fmt.Sprintf("model %q", q.Model)
	if q.Version != "" {
		text += fmt.Sprintf(" version %q", q.Version)
	}
	if q.Feature != "" {
		text = fmt.Sprintf("%q of ", q.Feature) + text
	}
	return text
}

// String writes a range as people read it.
func (r Range) String() string {
	return r.From.UTC().Format(time.RFC3339) + " to " + r.To.UTC().Format(time.RFC3339)
}
