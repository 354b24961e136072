//go:build parity

package parity

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// countTable is one input of drift.py: the same cells counted twice.
type countTable struct {
	Name      string   `json:"name"`
	Reference []uint64 `json:"reference"`
	Current   []uint64 `json:"current"`
	show      shown
}

// twoSamples is another: raw values, in any order.
type twoSamples struct {
	Name      string    `json:"name"`
	Reference []float64 `json:"reference"`
	Current   []float64 `json:"current"`
	show      shown
}

type psiPower struct {
	Cells      int     `json:"cells"`
	N          uint64  `json:"n"`
	M          uint64  `json:"m"`
	Confidence float64 `json:"confidence"`
	Power      float64 `json:"power"`
}

type sharePower struct {
	Share      float64 `json:"share"`
	Difference float64 `json:"difference"`
	N          uint64  `json:"n"`
	M          uint64  `json:"m"`
	Confidence float64 `json:"confidence"`
	power      float64
}

type driftInput struct {
	Counts      []countTable `json:"counts"`
	Samples     []twoSamples `json:"samples"`
	PValues     []float64    `json:"p_values"`
	SmallestPSI []psiPower   `json:"smallest_psi"`
	Power       []sharePower `json:"power"`
}

// countReference and sampleReference are what drift.py answers for one input.
type countReference struct {
	JS                 float64 `json:"js"`
	JSBits             float64 `json:"js_bits"`
	JSNannyML          float64 `json:"js_nannyml"`
	JSEvidently        float64 `json:"js_evidently"`
	HellingerNannyML   float64 `json:"hellinger_nannyml"`
	HellingerEvidently float64 `json:"hellinger_evidently"`
	LInfNannyML        float64 `json:"linf_nannyml"`
	TVDEvidently       float64 `json:"tvd_evidently"`
	PSIEvidently       float64 `json:"psi_evidently"`
	ChiSquare          float64 `json:"chi2"`
	ChiSquareP         float64 `json:"chi2_p"`
	LeastExpected      float64 `json:"chi2_expected"`
	ChiSquareNannyML   float64 `json:"chi2_nannyml"`
	CramersV           float64 `json:"cramers_v"`
	GoodnessOfFitP     float64 `json:"goodness_of_fit_p"`
}

type sampleReference struct {
	Deciles struct {
		Edges []float64 `json:"edges"`
		PSI   float64   `json:"psi"`
		KS    float64   `json:"ks"`
	} `json:"deciles"`
	Grid                 []float64   `json:"grid"`
	Deviation            float64     `json:"deviation"`
	KS                   float64     `json:"ks"`
	Kolmogorov           float64     `json:"ks_kolmogorov"`
	KSP                  float64     `json:"ks_p"`
	KSPEvidently         float64     `json:"ks_p_evidently"`
	Wasserstein          float64     `json:"wasserstein"`
	WassersteinEvidently float64     `json:"wasserstein_evidently"`
	PSIEvidently         float64     `json:"psi_evidently"`
	JSEvidently          float64     `json:"js_evidently"`
	EqualWidth           [2][]uint64 `json:"equal_width"`
	MeanShift            [3]float64  `json:"mean_shift"`
	MeanShiftP           float64     `json:"mean_shift_p"`
	VarianceRatio        float64     `json:"variance_ratio"`
	VarianceRatioP       float64     `json:"variance_ratio_p"`
}

type driftReference struct {
	Counts      []countReference  `json:"counts"`
	Samples     []sampleReference `json:"samples"`
	Adjusted    []float64         `json:"adjusted"`
	SmallestPSI []float64         `json:"smallest_psi"`
	Power       []float64         `json:"power"`
}

// TestDrift compares the drift family. The columns of the shared data are a test
// of their own, which is skipped where they are absent.
func TestDrift(t *testing.T) {
	in := driftInput{
		Counts:  generatedTables(),
		Samples: generatedSamples(),
		PValues: []float64{0.01, 0.02, 0.5, 0.04, 0.03, 1, 0, 1e-9, 0.02},
		SmallestPSI: []psiPower{
			{10, 10_000, 1000, 0.95, 0.8},
			{2, 500, 500, 0.99, 0.9},
			{101, 100_000, 5000, 0.95, 0.5},
		},
	}
	for _, c := range []sharePower{
		{Share: 0.1, N: 10_000, M: 1000, Confidence: 0.95, power: 0.8},
		{Share: 0.5, N: 300, M: 200, Confidence: 0.99, power: 0.9},
		{Share: 0.002, N: 50_000, M: 2000, Confidence: 0.95, power: 0.8},
	} {
		c.Difference = value(t)(measure.SmallestDifference(c.Share, c.N, c.M, c.Confidence, c.power))
		in.Power = append(in.Power, c)
	}
	var want driftReference
	reference(t, "drift.py", in, &want)

	for i, c := range in.Counts {
		compareTables(t, c, want.Counts[i])
	}
	for i, c := range in.Samples {
		compareSamples(t, c, want.Samples[i])
	}
	adjusted, err := measure.BenjaminiHochberg(in.PValues)
	if err != nil {
		t.Fatal(err)
	}
	for i := range adjusted {
		if math.Abs(adjusted[i]-want.Adjusted[i]) > 1e-15 {
			t.Errorf("p-value %d adjusted: ours %v, scipy %v", i, adjusted[i], want.Adjusted[i])
		}
	}
	agree(t, "benjamini_hochberg", "the third of nine p-values", adjusted[2], want.Adjusted[2], 1e-15, "scipy", "")
	for i, c := range in.SmallestPSI {
		name := fmt.Sprintf("%d cells, %d and %d rows", c.Cells, c.N, c.M)
		ours := value(t)(measure.SmallestPSI(c.Cells, c.N, c.M, c.Confidence, c.Power))
		agree(t, "smallest visible psi", name, ours, want.SmallestPSI[i], 1e-9, "scipy", "")
	}
	for i, c := range in.Power {
		name := fmt.Sprintf("share %g, %d and %d rows", c.Share, c.N, c.M)
		agree(t, "power at the smallest difference", name, c.power, want.Power[i], 1e-9, "statsmodels", "the side of the change alone")
	}
}

// TestDriftOfElec2 compares the columns of a real data file, first half against
// second, with the libraries and with the values that the design states.
func TestDriftOfElec2(t *testing.T) {
	const half = 22656
	stated := map[string][5]float64{
		"nswprice":  {1.082136, 0.273784, 0.451227, 0.443282, 0.714594},
		"nswdemand": {0.004290, 0.011443, 0.025821, 0.024718, 0.037128},
		"vicprice":  {2.227337, 0.011889, 0.542858, 0.449859, 2.170362},
	}
	var in driftInput
	for _, name := range []string{"nswprice", "nswdemand", "vicprice"} {
		x := shareddata.Numbers(t, "elec2.csv", name)
		in.Samples = append(in.Samples, twoSamples{show: true, Name: "elec2 " + name, Reference: x[:half], Current: x[half:]})
	}
	in.Counts, in.PValues = []countTable{}, []float64{1}
	in.SmallestPSI, in.Power = []psiPower{}, []sharePower{}
	var want driftReference
	reference(t, "drift.py", in, &want)
	for i, c := range in.Samples {
		compareSamples(t, c, want.Samples[i])
		s := want.Samples[i]
		theirs := [5]float64{s.Deciles.PSI, s.PSIEvidently, s.KS, s.Deciles.KS, s.Wasserstein / s.Deviation}
		for k, v := range stated[c.Name[len("elec2 "):]] {
			if math.Abs(theirs[k]-v) > 5e-7 {
				t.Errorf("%s: the libraries give %v, the design states %v", c.Name, theirs[k], v)
			}
		}
	}
}

func generatedTables() []countTable {
	random := rand.New(rand.NewPCG(11, 12))
	draw := func(name string, cells, n, m int, tilt float64) countTable {
		c := countTable{Name: name, Reference: make([]uint64, cells), Current: make([]uint64, cells)}
		for range n {
			c.Reference[random.IntN(cells)]++
		}
		for range m {
			c.Current[int(math.Pow(random.Float64(), 1+tilt)*float64(cells))]++
		}
		return c
	}
	return []countTable{
		{show: true, Name: "six cells", Reference: []uint64{16, 18, 16, 14, 12, 12}, Current: []uint64{16, 16, 16, 16, 16, 8}},
		draw("ten cells, no shift", 10, 20_000, 2000, 0),
		draw("ten cells, shifted", 10, 20_000, 2000, 0.2),
		draw("forty cells, shifted", 40, 5000, 5000, 0.1),
		{show: true, Name: "a new category", Reference: []uint64{500, 300, 200, 0}, Current: []uint64{230, 150, 90, 30}},
		{show: true, Name: "rare cells", Reference: []uint64{9000, 900, 97, 2, 1}, Current: []uint64{850, 120, 20, 6, 4}},
		{Name: "disjoint", Reference: []uint64{100, 50, 0, 0}, Current: []uint64{0, 0, 80, 70}},
	}
}

func generatedSamples() []twoSamples {
	random := rand.New(rand.NewPCG(13, 14))
	draw := func(rows int, one func() float64) []float64 {
		out := make([]float64, rows)
		for i := range out {
			out[i] = one()
		}
		return out
	}
	normal := func(mean, deviation float64) func() float64 {
		return func() float64 { return mean + deviation*random.NormFloat64() }
	}
	skewed := func(mean float64) func() float64 {
		return func() float64 { return math.Exp(mean + random.NormFloat64()) }
	}
	whole := func(mean float64) func() float64 {
		return func() float64 { return math.Round(mean + 3*random.NormFloat64()) }
	}
	return []twoSamples{
		{Name: "normal, no shift", Reference: draw(10_000, normal(0, 1)), Current: draw(1000, normal(0, 1))},
		{show: true, Name: "normal, mean +0.3", Reference: draw(10_000, normal(0, 1)), Current: draw(1000, normal(0.3, 1))},
		{Name: "normal, deviation 1.5", Reference: draw(10_000, normal(5, 1)), Current: draw(1000, normal(5, 1.5))},
		{Name: "normal, 60 and 40 rows", Reference: draw(60, normal(0, 1)), Current: draw(40, normal(0.5, 1))},
		{show: true, Name: "lognormal, shifted", Reference: draw(8000, skewed(0)), Current: draw(2000, skewed(0.2))},
		{Name: "whole numbers", Reference: draw(5000, whole(20)), Current: draw(1500, whole(21))},
	}
}
