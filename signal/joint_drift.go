package signal

import (
	"fmt"

	"github.com/evenkeel/evenkeel/measure"
)

// JointDrifts gives the drift of every joint set whose parts are among those of
// a window, by each method that is defined:
//
//	sliced_wasserstein   over the grids and moments of the slices
//	sliced_js            over the slices' deciles, without the missing rows
//	mmd                  over the kernel's sums
//
// Where the baseline has a limit for it, the quantity is followed by
// MetricDriftLimit of the same dimensions and convention, for windows of at least
// so many rows as the limit's: a smaller one is noisier than those that it was
// taken from. A larger one is less noisy, so the limit is a cautious one for it.
//
// Parts under other bounds than the baseline's are passed over, and so is a set
// that lacks a slice: its mean would be one over other axes.
func (b *Baseline) JointDrifts(parts []*Distribution) []Quantity {
	var out []Quantity
	for i := range b.Joint {
		j := &b.Joint[i]
		for _, s := range b.jointScores(j, parts) {
			out = append(out, j.quantities(s)...)
		}
	}
	return out
}

// jointScore is one score of a set.
type jointScore struct {
	method   string
	estimate measure.Estimate
	baseline Digest
}

// quantities gives the score and its limit.
func (j *JointBaseline) quantities(s jointScore) []Quantity {
	dimensions := []Dimension{
		{KeyDriftMethod, s.method},
		{KeyDriftTarget, string(j.Target)},
		{KeyFeatureName, string(j.Name)},
		{KeyBaselineID, s.baseline.Short()},
	}
	out := []Quantity{{Metric: MetricDriftScore, Dimensions: dimensions, Estimate: s.estimate}}
	for _, l := range j.Limits {
		if l.Method == s.method && s.estimate.Samples >= l.Rows {
			limit := measure.Estimate{Value: l.Value, Samples: l.Rows, Convention: s.estimate.Convention}
			out = append(out, Quantity{Metric: MetricDriftLimit, Dimensions: dimensions, Estimate: limit})
		}
	}
	return out
}

// jointScores scores one set.
func (b *Baseline) jointScores(j *JointBaseline, parts []*Distribution) []jointScore {
	var out []jointScore
	if t, err := b.slices(j, parts); err == nil {
		if e, err := measure.SlicedWasserstein(t.grids, t.reference, t.current); err == nil {
			out = append(out, jointScore{DriftSlicedWasserstein, e, t.baseline})
		}
		if e, err := measure.SlicedJS(t.referenceCells, t.currentCells); err == nil {
			out = append(out, jointScore{DriftSlicedJS, e, t.baseline})
		}
	}
	if j.Kernel == nil {
		return out
	}
	bounds, err := j.KernelBounds()
	if err != nil {
		return out
	}
	d := find(parts, j.Target, j.Name, bounds)
	if d == nil || d.Kind != Sums || len(d.Counts) != 1 {
		return out
	}
	if e, err := j.Kernel.MMD(d.Embedded, d.Counts[0]); err == nil {
		out = append(out, jointScore{DriftMMD, e, d.Baseline})
	}
	return out
}

// sliceTables are a set's slices in the baseline and in a window.
type sliceTables struct {
	grids                        []measure.Grid
	reference, current           []measure.Binned
	referenceCells, currentCells [][]uint64
	baseline                     Digest
}

// slices finds the tables of every slice of a set.
func (b *Baseline) slices(j *JointBaseline, parts []*Distribution) (*sliceTables, error) {
	t := &sliceTables{}
	for k := range j.Slices() {
		f := b.Feature(j.Target, j.Slice(k))
		if f == nil {
			return nil, fmt.Errorf("the baseline has no column %s", j.Slice(k))
		}
		bounds, err := f.Bounds()
		if err != nil {
			return nil, err
		}
		d := find(parts, j.Target, f.Name, bounds)
		if d == nil || len(d.Counts) != len(f.Counts) {
			return nil, fmt.Errorf("the window has no column %s", f.Name)
		}
		t.add(f, d)
	}
	return t, nil
}

// add takes one more slice.
func (t *sliceTables) add(f *FeatureBaseline, d *Distribution) {
	t.grids = append(t.grids, f.Grid)
	t.reference = append(t.reference, measure.Binned{Counts: f.Counts, Moments: f.moments()})
	t.current = append(t.current, measure.Binned{Counts: d.Counts, Moments: d.moments()})
	t.referenceCells = append(t.referenceCells, f.cells(f.Counts))
	t.currentCells = append(t.currentCells, f.cells(d.Counts))
	t.baseline = d.Baseline
}

// find gives the part of a column under the given bounds; nil where there is none.
func find(parts []*Distribution, t Target, name FeatureName, bounds Digest) *Distribution {
	for _, d := range parts {
		if d.Target == t && d.Feature == name && d.Bounds == bounds {
			return d
		}
	}
	return nil
}
