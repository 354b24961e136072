package compare

import (
	"context"
	"errors"
	"fmt"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Column is one feature or output on both sides.
type Column struct {
	Feature     signal.FeatureName `json:"feature"`
	Target      signal.Target      `json:"target"`
	Kind        signal.Kind        `json:"kind"`
	Bounds      signal.Digest      `json:"bounds"`   // of the cells that were compared
	Rebinned    bool               `json:"rebinned"` // a side was counted in finer cells, which were put together exactly
	Current     Side               `json:"current"`
	Against     Side               `json:"against"`
	Scores      []Score            `json:"scores"`
	Explanation string             `json:"explanation"` // in one sentence, which cells moved
}

// Side is what one side was counted from.
type Side struct {
	Rows      uint64          `json:"rows"`
	Missing   uint64          `json:"missing"`
	Windows   uint64          `json:"windows"`
	Instances uint64          `json:"instances"`
	Versions  []string        `json:"versions"`
	Baselines []signal.Digest `json:"baselines"` // that it was counted under
	Dropped   uint64          `json:"dropped"`   // requests that were lost before they were counted
}

// Score is one measure of how far the sides are apart.
type Score struct {
	Method     string   `json:"method"`
	Value      float64  `json:"value"`
	Lower      *float64 `json:"lower,omitempty"`
	Upper      *float64 `json:"upper,omitempty"`
	Samples    uint64   `json:"samples"` // rows of the current side behind it
	Convention string   `json:"convention"`
	P          *float64 `json:"p,omitempty"`
	PAdjusted  *float64 `json:"p_adjusted,omitempty"` // over all columns of the answer
	Bound      *float64 `json:"bound,omitempty"`
	Critical   *float64 `json:"critical,omitempty"`
	Visible    *float64 `json:"visible,omitempty"`
}

// columnKey names a column whatever it was counted in.
type columnKey struct {
	target  signal.Target
	feature signal.FeatureName
}

type comparer struct {
	store     Store
	q         *Question
	baselines map[signal.Digest]*signal.Baseline
}

// columns compares what both sides have. Where one column is asked for, what
// stands in its way is an error; of all of them it is told beside the others.
func (c *comparer) columns(ctx context.Context, out *Result, current, against []model.CountedSum) error {
	before := byColumn(against)
	var drifts []signal.Quantity
	var counts []int
	for _, of := range byColumn(current).ordered() {
		sums := before.find(of.key)
		column, found, err := c.column(ctx, of, sums)
		switch {
		case err == nil:
			out.Columns = append(out.Columns, *column)
			drifts, counts = append(drifts, found...), append(counts, len(found))
		case c.q.Feature != "" || errs.Retryable(err) || ctx.Err() != nil:
			return err
		default:
			out.Skipped = append(out.Skipped, Skipped{of.key.feature, of.key.target, plain(err)})
		}
	}
	if len(out.Columns) == 0 && len(out.Skipped) == 0 {
		return errs.E("compare", errs.NotFound, fmt.Errorf("no column of %s was counted on both sides", c.q.what()), "")
	}
	signal.AdjustP(drifts) // they are one family: the more columns, the more of them look changed by chance
	for i := range out.Columns {
		out.Columns[i].Scores = scoresOf(drifts[:counts[i]])
		drifts = drifts[counts[i]:]
	}
	return nil
}

// column compares one, with its scores still to be adjusted.
func (c *comparer) column(ctx context.Context, current, against *columnSums) (*Column, []signal.Quantity, error) {
	if against == nil {
		return nil, nil, errs.E("compare", errs.NotFound, fmt.Errorf("%s %q was not counted in %s", current.key.target, current.key.feature, c.q.Against), "")
	}
	cells, err := c.common(ctx, current, against)
	if err != nil {
		return nil, nil, err
	}
	now, err := current.sum(cells)
	if err != nil {
		return nil, nil, err
	}
	before, err := against.sum(cells)
	if err != nil {
		return nil, nil, err
	}
	if before.N == 0 || now.N == 0 {
		return nil, nil, errs.E("compare", errs.NotFound, fmt.Errorf("%s %q has no rows on one side", current.key.target, current.key.feature), "choose a longer time")
	}
	reference := asReference(cells.column, before, now)
	found, err := reference.Drifts(now)
	if err != nil {
		return nil, nil, errs.E("compare", errs.Other, err, "")
	}
	text, err := reference.Explain(now)
	if err != nil {
		return nil, nil, errs.E("compare", errs.Other, err, "")
	}
	return &Column{
		Feature: current.key.feature, Target: current.key.target, Kind: cells.column.Kind, Bounds: cells.bounds, Rebinned: cells.folds,
		Current: current.side(now), Against: against.side(before), Explanation: text,
	}, found, nil
}

// asReference lets one side take the place of a baseline. Categories that the
// baseline did not have stand in a cell of their own on both sides: a baseline
// has none of them by definition, and a side may.
func asReference(column *signal.FeatureBaseline, before, now *signal.Distribution) *signal.FeatureBaseline {
	f := &signal.FeatureBaseline{
		Name: column.Name, Target: column.Target, Kind: column.Kind, Grid: column.Grid, Deciles: column.Deciles,
		Categories: column.Categories, Counts: before.Counts, Missing: before.Missing, Other: before.Other,
		Sum: before.Sum, SumSquares: before.SumSquares, Min: before.Min, Max: before.Max, N: before.N,
	}
	if column.Kind == signal.Categorical && before.New > 0 {
		f.Categories = append(append([]string{}, column.Categories...), "(not in the baseline)")
		f.Counts = append(append([]uint64{}, before.Counts...), before.New)
		now.Counts = append(append([]uint64{}, now.Counts...), now.New)
		now.New = 0
	}
	return f
}

func scoresOf(found []signal.Quantity) []Score {
	out := make([]Score, 0, len(found))
	for i := range found {
		q := &found[i]
		s := Score{
			Method: q.Dimension(signal.KeyDriftMethod), Value: q.Estimate.Value, Lower: q.Estimate.Lower, Upper: q.Estimate.Upper,
			Samples: q.Estimate.Samples, Convention: q.Estimate.Convention,
		}
		for suffix, to := range map[string]**float64{
			signal.SuffixP: &s.P, signal.SuffixPAdjusted: &s.PAdjusted, signal.SuffixBound: &s.Bound,
			signal.SuffixCritical: &s.Critical, signal.SuffixVisible: &s.Visible,
		} {
			if v, ok := q.Sibling(suffix); ok {
				*to = &v
			}
		}
		out = append(out, s)
	}
	return out
}

// plain is an error's own text, without what was being done.
func plain(err error) string {
	var e *errs.Error
	if errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}
