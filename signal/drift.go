package signal

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/measure"
)

// Score is one measure of a column's drift from its baseline. The limits of
// rules act on the estimate, which is the size of a shift; the rest explains it.
type Score struct {
	Method   string // DriftPSI, DriftJS and so on
	Estimate measure.Estimate

	P        *float64 // of the method's test; nil: it has none
	Bound    *float64 // ks: what the raw values' statistic cannot exceed
	Critical *float64 // psi, cramers_v: what one of twenty unchanged windows exceeds
	Visible  *float64 // psi: the smallest shift that a window of this size shows
}

// driftConfidence is that of the intervals of KS and of the mean's shift, and
// with visiblePower that of the smallest visible shift. It is part of their
// conventions.
const (
	driftConfidence = 0.95
	visiblePower    = 0.8
)

// Drift compares a window's counts with the baseline's by every method that is
// defined for the column, in this order:
//
//	psi js hellinger tvd linf chi2 cramers_v   on the cells that PSI has
//	ks wasserstein                             on a numeric column's grid
//	mean_shift variance_ratio                  on its moments
//
// The first row counts missing values as a cell, the others leave them out; the
// samples of an estimate are the rows that it counts. What is undefined, such as
// a chi-square of too few rows or everything of an empty window, is left out.
// The bounds digests must agree; cells of another number are an error.
func (f *FeatureBaseline) Drift(d *Distribution) ([]Score, error) {
	reference, current, err := f.tables(d)
	if err != nil {
		return nil, fmt.Errorf("drift of %s: %w", f.Name, err)
	}
	scores := f.driftOfShares(d, reference, current)
	scores = append(scores, driftOfTable(reference, current)...)
	if f.Kind == Numeric {
		scores = append(scores, f.driftOfNumbers(d)...)
	}
	if f.countsTrigrams() {
		for i := range scores {
			scores[i].P, scores[i].Critical, scores[i].Visible = nil, nil, nil
		}
	}
	return scores, nil
}

// countsTrigrams says that the rows are trigrams. Those of one text overlap and
// depend on each other, and no test that takes rows for independent says anything
// about them.
func (f *FeatureBaseline) countsTrigrams() bool {
	return f.Target == TargetText && strings.HasSuffix(string(f.Name), "."+TextTrigrams)
}

// driftOfShares compares the shares of the cells.
func (f *FeatureBaseline) driftOfShares(d *Distribution, reference, current []uint64) []Score {
	var out []Score
	if e, err := f.PSI(d); err == nil {
		s := Score{Method: DriftPSI, Estimate: e}
		if critical, err := measure.PSICritical(reference, current); err == nil {
			s.Critical = &critical
			s.Visible = visiblePSI(reference, current)
		}
		out = append(out, s)
	}
	for _, m := range []struct {
		method  string
		measure func(reference, current []uint64) (measure.Estimate, error)
	}{
		{DriftJS, measure.JS},
		{DriftHellinger, measure.Hellinger},
		{DriftTVD, measure.TVD},
		{DriftLInf, measure.LInf},
	} {
		if e, err := m.measure(reference, current); err == nil {
			out = append(out, Score{Method: m.method, Estimate: e})
		}
	}
	return out
}

// visiblePSI is nil where nothing can be said; the cells are large enough where
// the critical value is defined.
func visiblePSI(reference, current []uint64) *float64 {
	var n, m uint64
	cells := 0
	for i := range reference {
		n += reference[i]
		m += current[i]
		if reference[i] > 0 || current[i] > 0 {
			cells++
		}
	}
	v, err := measure.SmallestPSI(cells, n, m, driftConfidence, visiblePower)
	if err != nil {
		return nil
	}
	return &v
}

// driftOfTable tests the cells as a contingency table.
func driftOfTable(reference, current []uint64) []Score {
	r, err := measure.Contingency(reference, current)
	if err != nil {
		return nil
	}
	return []Score{
		{Method: DriftChiSquare, Estimate: r.ChiSquare, P: &r.P},
		{Method: DriftCramersV, Estimate: r.V, P: &r.P, Critical: &r.Critical},
	}
}

// driftOfNumbers compares the values themselves, as far as grid and moments know
// them.
func (f *FeatureBaseline) driftOfNumbers(d *Distribution) []Score {
	reference := measure.Binned{Counts: f.Counts, Moments: f.moments()}
	current := measure.Binned{Counts: d.Counts, Moments: d.moments()}
	var out []Score
	if r, err := measure.KS(f.Counts, d.Counts, driftConfidence); err == nil {
		out = append(out, Score{Method: DriftKS, Estimate: r.Estimate, P: &r.P, Bound: &r.Bound})
	}
	if e, err := measure.Wasserstein(f.Grid, reference, current); err == nil {
		out = append(out, Score{Method: DriftWasserstein, Estimate: e})
	}
	if r, err := measure.MeanShift(reference.Moments, current.Moments, driftConfidence); err == nil {
		out = append(out, Score{Method: DriftMeanShift, Estimate: r.Estimate, P: &r.P})
	}
	if r, err := measure.VarianceRatio(reference.Moments, current.Moments); err == nil {
		out = append(out, Score{Method: DriftVarianceRatio, Estimate: r.Estimate, P: &r.P})
	}
	return out
}

// moments are those of the column's values, without the missing ones.
func (f *FeatureBaseline) moments() measure.Moments {
	return measure.Moments{N: total(f.Counts), Sum: f.Sum, SumSquares: f.SumSquares, Min: f.Min, Max: f.Max}
}

// moments are those of the window's values, without the missing ones.
func (d *Distribution) moments() measure.Moments {
	return measure.Moments{N: total(d.Counts), Sum: d.Sum, SumSquares: d.SumSquares, Min: d.Min, Max: d.Max}
}

func total(counts []uint64) uint64 {
	var n uint64
	for _, c := range counts {
		n += c
	}
	return n
}
