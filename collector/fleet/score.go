package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// score computes everything that is defined for a recorded window and gives it
// as rows, stamped with the slot's end. m is what a window over rows was merged
// from; a labelled one is scored from its record alone.
func (f *Fleet) score(ctx context.Context, w *model.FleetWindow, m *merged) (*model.Rows, error) {
	out := newScores(w)
	if w.Labelled() {
		return out.rows, f.scoreCohort(ctx, w, out)
	}
	if err := f.scoreRows(ctx, m, out); err != nil {
		return nil, err
	}
	return out.rows, f.follow(ctx, w, m, out)
}

// scoreCohort scores the counts of predictions and labels.
func (f *Fleet) scoreCohort(ctx context.Context, w *model.FleetWindow, out *scores) error {
	var cohort signal.Cohort
	if err := json.Unmarshal([]byte(w.Cohort), &cohort); err != nil {
		return errs.E(fmt.Sprintf("read the cohort of %s of %s until %s", w.Model, w.System, w.End.Format(time.RFC3339Nano)), errs.Corrupt, err, "")
	}
	if cohort.Task == "" && cohort.All.Predictions > 0 {
		f.unscored("no outcome")
	}
	base, err := f.baseline(ctx, cohort.Baseline)
	if err != nil {
		return err
	}
	out.add(cohort.Quantities(base.content(), f.fairness())...)
	return nil
}

// scoreRows scores the sums over all replicas. Drifts are added last: their
// p-values are adjusted over all columns of the window.
func (f *Fleet) scoreRows(ctx context.Context, m *merged, out *scores) error {
	var drifts []signal.Quantity
	joint := map[signal.Digest][]*signal.Distribution{}
	for _, c := range m.ordered() {
		base, err := f.baseline(ctx, c.sum.Baseline)
		if err != nil {
			return err
		}
		switch c.target {
		case signal.TargetGroup:
			out.add(f.groupScores(base, c.sum)...)
		case signal.TargetRows:
			out.add(f.defined(signal.Duplicates(c.sum, f.options.Confidence))...)
		case signal.TargetPerformance:
			if f.comparable(base, c.column) {
				out.add(f.defined(signal.EstimatedPerformance(c.sum))...)
			}
		case signal.TargetMultivariate, signal.TargetEmbedding:
			if f.comparable(base, c.column) {
				joint[c.baseline] = append(joint[c.baseline], c.sum)
			}
		default:
			drifts = append(drifts, f.driftScores(base, c)...)
			out.add(signal.Quality(base.column(c.column), c.sum, f.options.Confidence)...)
		}
	}
	signal.AdjustP(drifts)
	out.add(drifts...)
	out.add(signal.DriftShares(drifts)...)
	return f.scoreJoint(ctx, joint, out)
}

// scoreJoint scores sets of columns that are watched together, of each baseline.
func (f *Fleet) scoreJoint(ctx context.Context, joint map[signal.Digest][]*signal.Distribution, out *scores) error {
	for _, digest := range slices.Sorted(maps.Keys(joint)) {
		base, err := f.baseline(ctx, digest)
		if err != nil {
			return err
		}
		out.add(f.defined(base.JointDrifts(joint[digest]))...)
	}
	return nil
}

// comparable says that a column can be compared with its baseline, and counts it
// where it cannot.
func (f *Fleet) comparable(base *reference, c column) bool {
	switch {
	case base == nil:
		f.unscored("no baseline")
	case !base.has(c):
		f.unscored("other bounds")
	default:
		return true
	}
	return false
}

// driftScores gives the drift of a column from its baseline.
func (f *Fleet) driftScores(base *reference, c summed) []signal.Quantity {
	if !f.comparable(base, c.column) {
		return nil
	}
	found, err := base.column(c.column).Drifts(c.sum)
	if err != nil {
		f.unscored("other bounds")
		return nil
	}
	return f.defined(found)
}

// groupScores gives what the table of a protected attribute says.
func (f *Fleet) groupScores(base *reference, d *signal.Distribution) []signal.Quantity {
	found := signal.GroupDisparities(base.content(), d, f.fairness())
	if !slices.ContainsFunc(found, func(q signal.Quantity) bool { return q.Metric == signal.MetricDisparity }) {
		f.unscored("undefined")
	}
	return append(found, signal.SelectionRates(d, f.fairness())...)
}

// defined counts a sum of which nothing is defined.
func (f *Fleet) defined(found []signal.Quantity) []signal.Quantity {
	if len(found) == 0 {
		f.unscored("undefined")
	}
	return found
}

func (f *Fleet) unscored(reason string) { f.metrics.unscored.WithLabelValues(reason).Inc() }

func (f *Fleet) fairness() signal.FairnessOptions {
	return signal.FairnessOptions{Confidence: f.options.Confidence, MinShare: f.options.MinShare}
}
