package signal

import (
	"fmt"

	"github.com/evenkeel/evenkeel/measure"
)

// PSI compares a window's counts with the baseline's. Numeric features are
// compared on the baseline's deciles plus a cell for missing, categorical ones
// on the categories plus (other), (new) and missing. The bounds digests must
// agree.
func (f *FeatureBaseline) PSI(d *Distribution) (measure.Estimate, error) {
	reference, current, err := f.tables(d)
	if err != nil {
		return measure.Estimate{}, fmt.Errorf("psi of %s: %w", f.Name, err)
	}
	e, err := measure.PSI(reference, current)
	if f.Kind == Categorical {
		e.Convention = measure.ConventionPSICategories
	}
	return e, err
}

// tables gives the reference's and the window's counts over the cells that shares
// are compared on: the deciles of a numeric feature, or the categories, (other)
// and (new); and missing. It fails where the cells are not the same.
func (f *FeatureBaseline) tables(d *Distribution) (reference, current []uint64, err error) {
	if len(d.Counts) != len(f.Counts) {
		return nil, nil, fmt.Errorf("%d cells in the window, %d in the baseline", len(d.Counts), len(f.Counts))
	}
	reference, current = f.cells(f.Counts), f.cells(d.Counts)
	if f.Kind == Categorical {
		reference = append(reference, f.Other, 0)
		current = append(current, d.Other, d.New)
	}
	return append(reference, f.Missing), append(current, d.Missing), nil
}

// cells folds grid counts into the deciles; categories stay as they are. The
// result is a fresh slice.
func (f *FeatureBaseline) cells(counts []uint64) []uint64 {
	if f.Kind == Categorical {
		return append(make([]uint64, 0, len(counts)+3), counts...)
	}
	out := make([]uint64, 0, len(f.Deciles)+2)
	var sum uint64
	next := 0
	for i, c := range counts {
		sum += c
		if next < len(f.Deciles) && i == f.Deciles[next] {
			out = append(out, sum)
			sum = 0
			next++
		}
	}
	return append(out, sum)
}

// Disparity is one group compared with the reference group by one metric.
type Disparity struct {
	Metric    string // one of measure.DisparityMeasures that need no labels
	Group     string
	Reference string
	Judged    bool // false: the group holds too few of the rows to be judged
	Estimate  measure.Estimate
}

// FairnessOptions say how groups are compared.
type FairnessOptions struct {
	Reference  string  // the reference group
	Confidence float64 // of the simultaneous intervals over all groups, for example 0.95
	MinShare   float64 // groups below this share of the rows are shown, not judged
}

// Disparities compares every group of a table with the reference group.
// Intervals are simultaneous over the judged groups (Bonferroni). Undefined
// values are left out: a reference group without rows leaves nothing, one
// without favourable outcomes leaves no ratio.
func Disparities(groups []GroupCount, o FairnessOptions) []Disparity {
	var reference measure.Confusion
	rows := weightOf(groups)
	for _, g := range groups {
		if g.Group == o.Reference {
			reference = g.outcomes()
		}
	}
	comparisons := 0
	for _, g := range groups {
		if g.Group != o.Reference && o.judges(g, rows) {
			comparisons++
		}
	}
	confidence := measure.Bonferroni(o.Confidence, comparisons)
	var out []Disparity
	for _, g := range groups {
		if g.Group == o.Reference {
			continue
		}
		d := Disparity{Group: g.Group, Reference: o.Reference, Judged: o.judges(g, rows)}
		for _, m := range measure.DisparityMeasures() {
			if m.Labels {
				continue
			}
			if e, err := m.Of(g.outcomes(), reference, confidence); err == nil {
				d.Metric, d.Estimate = m.Name, e
				out = append(out, d)
			}
		}
	}
	return out
}

// outcomes are the group's decisions as a table whose actual outcomes nobody
// knows: the measures that need no labels look at the decisions only.
func (g *GroupCount) outcomes() measure.Confusion {
	return measure.Confusion{TruePositive: g.Favourable, TrueNegative: g.Total - g.Favourable}
}

// judges says that a group holds enough of the table's rows.
func (o FairnessOptions) judges(g GroupCount, rows float64) bool {
	return g.standsFor() >= float64(o.MinShare*rows)
}
