//go:build parity

package parity

import (
	"math"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

func compareTables(t *testing.T, c countTable, want countReference) {
	js := estimate(t)(measure.JS(c.Reference, c.Current))
	c.show.agree(t, "js", c.Name, js, want.JS, 1e-9, "scipy", "")
	c.show.agree(t, "js", c.Name, js, want.JSEvidently, 1e-9, "evidently", "")
	bits := estimate(t)(measure.JSBits(c.Reference, c.Current))
	c.show.agree(t, "js base 2", c.Name, bits, want.JSBits, 1e-9, "scipy", "")
	c.show.agree(t, "js base 2", c.Name, bits, want.JSNannyML, 1e-9, "nannyml", noteBase2)
	hellinger := estimate(t)(measure.Hellinger(c.Reference, c.Current))
	c.show.agree(t, "hellinger", c.Name, hellinger, want.HellingerNannyML, 1e-9, "nannyml", "")
	c.show.agree(t, "hellinger", c.Name, hellinger, want.HellingerEvidently, 1e-7, "evidently", noteDigits)
	c.show.agree(t, "tvd", c.Name, estimate(t)(measure.TVD(c.Reference, c.Current)), want.TVDEvidently, 1e-12, "evidently", "")
	c.show.agree(t, "linf", c.Name, estimate(t)(measure.LInf(c.Reference, c.Current)), want.LInfNannyML, 1e-12, "nannyml", "")

	comparePSI(t, c, want.PSIEvidently, "")
	compareContingency(t, c, want)
}

// comparePSI compares over evidently's cells. Its floor is another: what it gives
// is worked out beside ours and must agree; where no share is small, ours must too.
func comparePSI(t *testing.T, c countTable, theirs float64, bins string) {
	ours := estimate(t)(measure.PSI(c.Reference, c.Current))
	if r, cur := shares(c.Reference), shares(c.Current); min(slices.Min(r), slices.Min(cur)) >= 1e-4 {
		c.show.agree(t, "psi", c.Name+bins, ours, theirs, 1e-9, "evidently", "")
		return
	}
	c.show.row(t, "psi", c.Name+bins, ours, theirs, "evidently", noteFloor)
	floored := psiWith(evidentlyFloor(shares(c.Reference)), evidentlyFloor(shares(c.Current)), func(s float64) float64 { return s })
	if math.Abs(floored-theirs) > 1e-9*(1+theirs) {
		t.Errorf("psi of %s: with evidently's floor %v, evidently %v", c.Name, floored, theirs)
	}
}

// psiWith is the index of shares after a change that keeps them above 0.
func psiWith(reference, current []float64, change func(float64) float64) float64 {
	var sum float64
	for i := range reference {
		r, c := change(reference[i]), change(current[i])
		sum += (c - r) * math.Log(c/r)
	}
	return sum
}

func shares(counts []uint64) []float64 {
	var n float64
	for _, c := range counts {
		n += float64(c)
	}
	out := make([]float64, len(counts))
	for i, c := range counts {
		out[i] = float64(c) / n
	}
	return out
}

// evidentlyFloor replaces empty cells by 1e-4, or by a millionth of the smallest
// other share where that is 1e-4 or less.
func evidentlyFloor(shares []float64) []float64 {
	least := 1.0
	for _, s := range shares {
		if s > 0 {
			least = min(least, s)
		}
	}
	floor := 1e-4
	if least <= 1e-4 {
		floor = least / 1e6
	}
	for i, s := range shares {
		if s == 0 {
			shares[i] = floor
		}
	}
	return shares
}

func compareContingency(t *testing.T, c countTable, want countReference) {
	ours, err := measure.Contingency(c.Reference, c.Current)
	if err != nil {
		t.Fatal(err)
	}
	if ours.Pooled > 0 {
		c.show.row(t, "chi2", c.Name, ours.ChiSquare.Value, want.ChiSquare, "scipy", notePooled)
		if want.LeastExpected >= 5 {
			t.Errorf("chi2 of %s: %d cells pooled though all expect 5 rows", c.Name, ours.Pooled)
		}
		return
	}
	c.show.agree(t, "chi2", c.Name, ours.ChiSquare.Value, want.ChiSquare, 1e-10, "scipy", "")
	c.show.chance(t, "chi2 p", c.Name, ours.P, want.ChiSquareP, "scipy")
	c.show.agree(t, "chi2", c.Name, ours.ChiSquare.Value, want.ChiSquareNannyML, 1e-10, "nannyml", "")
	c.show.agree(t, "cramers_v", c.Name, ours.V.Value, want.CramersV, 1e-12, "scipy", "")
	if slices.Contains(c.Reference, 0) {
		c.show.row(t, "chi2 p", c.Name, ours.P, want.GoodnessOfFitP, "evidently", noteNew)
		if want.GoodnessOfFitP != 0 || !(ours.P > 0) {
			t.Errorf("chi2 p of %s: ours %v, evidently %v", c.Name, ours.P, want.GoodnessOfFitP)
		}
		return
	}
	c.show.row(t, "chi2 p", c.Name, ours.P, want.GoodnessOfFitP, "evidently", noteFit)
	if want.GoodnessOfFitP > ours.P {
		t.Errorf("chi2 p of %s: a test that takes the reference for exact cannot have the larger p", c.Name)
	}
}

// binned counts values into a grid.
func binned(g measure.Grid, values []float64) measure.Binned {
	b := measure.Binned{Counts: make([]uint64, len(g)+1)}
	for _, x := range values {
		b.Counts[g.Index(x)]++
		b.Moments.Add(x)
	}
	return b
}

func compareSamples(t *testing.T, c twoSamples, want sampleReference) {
	r, cur := slices.Sorted(slices.Values(c.Reference)), slices.Sorted(slices.Values(c.Current))
	edges, _ := measure.BuildGrid(r)
	grid := measure.Grid(edges)
	reference, current := binned(grid, r), binned(grid, cur)
	for _, e := range want.Grid {
		if _, found := slices.BinarySearch(edges, e); !found {
			t.Errorf("%s: numpy's quantile %v is no edge", c.Name, e)
		}
	}
	compareDeciles(t, c, want)
	compareKS(t, c, r, cur, reference, current, want)
	compareWasserstein(t, c, r, cur, grid, reference, current, want)
	compareShift(t, c, reference.Moments, current.Moments, want)
	width := countTable{show: c.show, Name: c.Name, Reference: want.EqualWidth[0], Current: want.EqualWidth[1]}
	if len(slices.Compact(slices.Clone(r))) > 20 {
		comparePSI(t, width, want.PSIEvidently, ", evidently's bins")
		c.show.agree(t, "js", c.Name+", evidently's bins", estimate(t)(measure.JS(width.Reference, width.Current)), want.JSEvidently, 1e-9, "evidently", "")
		c.show.row(t, "psi", c.Name, estimate(t)(measure.PSI(decileCounts(c, want))), want.PSIEvidently, "evidently", noteEqual)
	}
}

// decileCounts counts both samples into numpy's plain deciles.
func decileCounts(c twoSamples, want sampleReference) (reference, current []uint64) {
	g := measure.Grid(want.Deciles.Edges)
	return binned(g, c.Reference).Counts, binned(g, c.Current).Counts
}

func compareDeciles(t *testing.T, c twoSamples, want sampleReference) {
	r, cur := decileCounts(c, want)
	psi := estimate(t)(measure.PSI(r, cur))
	if sr, sc := shares(r), shares(cur); min(slices.Min(sr), slices.Min(sc)) >= 1e-4 {
		c.show.agree(t, "psi", c.Name+", plain deciles", psi, want.Deciles.PSI, 1e-6, "numpy", noteEpsilon)
	} else {
		c.show.row(t, "psi", c.Name+", plain deciles", psi, want.Deciles.PSI, "numpy", noteEpsilon)
		if added := psiWith(sr, sc, func(s float64) float64 { return s + 1e-10 }); math.Abs(added-want.Deciles.PSI) > 1e-9 {
			t.Errorf("psi of %s: with 1e-10 added %v, numpy %v", c.Name, added, want.Deciles.PSI)
		}
	}
	ks, err := measure.KS(r, cur, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	c.show.agree(t, "ks at deciles", c.Name, ks.Value, want.Deciles.KS, 1e-8, "numpy", "")
}

func compareKS(t *testing.T, c twoSamples, r, cur []float64, reference, current measure.Binned, want sampleReference) {
	exact, err := measure.KSExact(r, cur, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	c.show.agree(t, "ks exact", c.Name, exact.Value, want.KS, 1e-12, "scipy", "")
	c.show.chance(t, "ks p", c.Name, exact.P, want.Kolmogorov, "scipy.special.kolmogorov")
	c.show.row(t, "ks p", c.Name, exact.P, want.KSP, "scipy.stats.ks_2samp", noteFinite)
	c.show.row(t, "ks p", c.Name, exact.P, want.KSPEvidently, "evidently", noteFinite)
	n, m := float64(len(r)), float64(len(cur))
	if n*m/(n+m) > 500 && math.Abs(exact.P-want.KSP) > 0.02 {
		t.Errorf("ks p of %s: the limit %v and the finite sample's %v differ by more than 0.02", c.Name, exact.P, want.KSP)
	}
	cells, err := measure.KS(reference.Counts, current.Counts, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	c.show.row(t, "ks", c.Name, cells.Value, want.KS, "scipy", noteLower)
	if !(cells.Value <= want.KS+1e-12 && want.KS <= cells.Bound+1e-12) {
		t.Errorf("ks of %s: scipy's %v is not between %v and %v", c.Name, want.KS, cells.Value, cells.Bound)
	}
}

// wassersteinTolerance is how far 40 bins with moments may be off, as a share of
// the exact distance, for the data of this test.
const wassersteinTolerance = 0.3

func compareWasserstein(t *testing.T, c twoSamples, r, cur []float64, grid measure.Grid, reference, current measure.Binned, want sampleReference) {
	exact := estimate(t)(measure.WassersteinExact(r, cur))
	c.show.agree(t, "wasserstein exact", c.Name, exact, want.Wasserstein/want.Deviation, 1e-9, "scipy, over numpy's std", "")
	if want.Deviation < 0.001 {
		c.show.row(t, "wasserstein exact", c.Name, exact, want.WassersteinEvidently, "evidently", noteDeviation)
		if floored := exact * want.Deviation / 0.001; math.Abs(floored-want.WassersteinEvidently) > 1e-9 {
			t.Errorf("wasserstein of %s: with evidently's floor %v, evidently %v", c.Name, floored, want.WassersteinEvidently)
		}
	} else {
		c.show.agree(t, "wasserstein exact", c.Name, exact, want.WassersteinEvidently, 1e-9, "evidently", "")
	}
	onGrid := estimate(t)(measure.Wasserstein(grid, reference, current))
	c.show.row(t, "wasserstein", c.Name, onGrid, want.Wasserstein/want.Deviation, "scipy, over numpy's std", noteGrid)
	if math.Abs(onGrid-exact) > wassersteinTolerance*exact {
		t.Errorf("wasserstein of %s: %v on the grid, %v exact", c.Name, onGrid, exact)
	}
}

func compareShift(t *testing.T, c twoSamples, reference, current measure.Moments, want sampleReference) {
	shift, err := measure.MeanShift(reference, current, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	for i, ours := range []float64{shift.Value, *shift.Lower, *shift.Upper} {
		what := []string{"mean_shift", "mean_shift, lower limit", "mean_shift, upper limit"}[i]
		c.show.agree(t, what, c.Name, ours, want.MeanShift[i]/want.Deviation, 1e-8, "scipy, over numpy's std", "")
	}
	c.show.chance(t, "mean_shift p", c.Name, shift.P, want.MeanShiftP, "scipy")
	ratio, err := measure.VarianceRatio(reference, current)
	if err != nil {
		t.Fatal(err)
	}
	c.show.agree(t, "variance_ratio", c.Name, ratio.Value, want.VarianceRatio, 1e-8, "numpy", "")
	c.show.chance(t, "variance_ratio p", c.Name, ratio.P, want.VarianceRatioP, "scipy")
}
