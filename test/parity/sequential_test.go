//go:build parity

package parity

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/measure"
)

// sequentialReference is what sequential.py writes.
type sequentialReference struct {
	Streams []struct {
		ADWIN       []int `json:"adwin"`
		PageHinkley []int `json:"page_hinkley"`
	} `json:"streams"`
	Evidence  [][]float64 `json:"evidence"` // the log after each window
	Deflation float64     `json:"deflation"`
	MMD       float64     `json:"mmd"`
	Principal []float64   `json:"principal"` // variances
	Sliced    float64     `json:"sliced"`
	Texts     []struct {
		Length     int     `json:"length"`
		Tokens     int     `json:"tokens"`
		NonLetters float64 `json:"non_letters"`
		Script     string  `json:"script"`
	} `json:"texts"`
	Wilson [][2]float64 `json:"wilson"`
	Rows   int          `json:"rows"` // different ones
}

const principalAxesCompared = 3

func TestSequentialFamily(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 13))
	principal := &principalInput{Rows: mixedRows(random, 500, 0), Axes: principalAxesCompared}
	projections := fitted(t, principal.Rows)
	input := sequentialInput{
		Streams:   changingStreams(random),
		Evidence:  evidenceCases(random),
		Deflation: [][]uint64{{60, 30, 10}, {40, 40, 20}, {55, 25, 20}, {30, 30, 30}},
		MMD:       &mmdInput{Reference: mixedRows(random, 400, 0), Current: mixedRows(random, 400, 1), Bandwidth: 1.5},
		Principal: principal,
		Sliced: &slicedInput{
			Reference: projected(t, projections, mixedRows(random, 5000, 0)),
			Current:   projected(t, projections, mixedRows(random, 2000, 0.5)),
		},
		Texts:  []string{"Hello, world! 42", "Привет, мир", "Ελληνικά 100%", "שלום עולם", "สวัสดี ชาวโลก", "안녕하세요 세계", "naïve café: über 9000"},
		Wilson: [][2]uint64{{0, 50}, {3, 50}, {700, 1000}, {1000, 1000}},
	}
	for range 30_000 {
		input.Rows = append(input.Rows, []float64{float64(random.IntN(200)), float64(random.IntN(100))})
	}
	var want sequentialReference
	reference(t, "sequential.py", input, &want)

	t.Run("change points", func(t *testing.T) { compareStreams(t, input.Streams, want) })
	t.Run("evidence", func(t *testing.T) { compareEvidence(t, input, want) })
	t.Run("many variables", func(t *testing.T) { compareManyVariables(t, input, projections, want) })
	t.Run("texts", func(t *testing.T) { compareTexts(t, input.Texts, want) })
	t.Run("quality", func(t *testing.T) { compareQuality(t, input, want) })
}

// The price of electricity in 45,312 half hours, which changes all the time.
func TestChangePointsOfElec2(t *testing.T) {
	input := sequentialInput{Streams: [][]float64{
		shareddata.Numbers(t, "elec2.csv", "nswprice"),
		shareddata.Numbers(t, "elec2.csv", "vicprice"),
	}}
	for _, stream := range input.Streams {
		for i := range stream {
			stream[i] *= 100 // Page-Hinkley's threshold is made for numbers of about one
		}
	}
	var want sequentialReference
	reference(t, "sequential.py", input, &want)
	compareStreams(t, input.Streams, want)
}

func compareStreams(t *testing.T, streams [][]float64, want sequentialReference) {
	total := 0
	for i, stream := range streams {
		adwin := changes(t, new(measure.ADWIN), stream)
		pageHinkley := changes(t, new(measure.PageHinkley), stream)
		if !slices.Equal(adwin, want.Streams[i].ADWIN) {
			t.Errorf("adwin, stream %d: ours at %v, river at %v", i, adwin, want.Streams[i].ADWIN)
		}
		if !slices.Equal(pageHinkley, want.Streams[i].PageHinkley) {
			t.Errorf("page-hinkley, stream %d: ours at %v, river at %v", i, pageHinkley, want.Streams[i].PageHinkley)
		}
		sample := fmt.Sprintf("stream %d of %s, %d values", i, t.Name(), len(stream))
		const note = "number of changes; each at the same value"
		row(t, "adwin", sample, float64(len(adwin)), float64(len(want.Streams[i].ADWIN)), "river", note)
		row(t, "page_hinkley", sample, float64(len(pageHinkley)), float64(len(want.Streams[i].PageHinkley)), "river", note)
		total += len(adwin) + len(pageHinkley)
	}
	if total < 20 {
		t.Errorf("%d changes in all streams: too few to compare", total)
	}
}

// changes gives the indexes of the values at which a detector speaks.
func changes(t *testing.T, detector interface{ Add(float64) (bool, error) }, stream []float64) []int {
	t.Helper()
	at := []int{}
	for i, x := range stream {
		changed, err := detector.Add(x)
		if err != nil {
			t.Fatal(err)
		}
		if changed {
			at = append(at, i)
		}
	}
	return at
}

func compareEvidence(t *testing.T, input sequentialInput, want sequentialReference) {
	for i, c := range input.Evidence {
		p, err := measure.NewDriftProcess(c.Reference, measure.DriftOptions{Tolerance: c.Tolerance, Miss: c.Miss, Deflation: c.Phi})
		if err != nil {
			t.Fatal(err)
		}
		var e measure.DriftEvidence
		for w, window := range c.Windows {
			if e, err = p.Next(e, window); err != nil {
				t.Fatal(err)
			}
			if theirs := want.Evidence[i][w]; math.Abs(e.Log()-theirs) > 1e-6*max(1, math.Abs(theirs)) {
				t.Errorf("case %d, window %d: log evidence %.12g, by scipy %.12g", i, w+1, e.Log(), theirs)
			}
		}
		agree(t, "drift_evidence (ln)", fmt.Sprintf("case %d, %d windows", i, len(c.Windows)), e.Log(), want.Evidence[i][len(c.Windows)-1], 1e-6,
			"scipy", "the construction written a second time, with scipy's gammaln and brentq")
	}
	phi, err := measure.Deflation(input.Deflation)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "deflation", "4 windows, 3 cells", phi, want.Deflation, 1e-12, "scipy", "chi2_contingency over its degrees of freedom")
}

func fitted(t *testing.T, rows [][]float64) *measure.Projections {
	t.Helper()
	p, err := measure.FitProjections(rows, 2*principalAxesCompared, 1)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// projected gives the values along each axis.
func projected(t *testing.T, p *measure.Projections, rows [][]float64) [][]float64 {
	t.Helper()
	out, into := make([][]float64, len(p.Axes)), make([]float64, len(p.Axes))
	for _, r := range rows {
		if err := p.Project(r, into); err != nil {
			t.Fatal(err)
		}
		for k, x := range into {
			out[k] = append(out[k], x)
		}
	}
	return out
}

func compareManyVariables(t *testing.T, input sequentialInput, p *measure.Projections, want sequentialReference) {
	mmd, err := measure.MMD(input.MMD.Reference, input.MMD.Current, measure.MMDOptions{Frequencies: 4096, Bandwidth: input.MMD.Bandwidth, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "mmd (squared, unbiased)", "400 and 400 rows of 5 columns", mmd.Squared, want.MMD, 0.002, "scikit-learn",
		"theirs with the exact kernel; 4,096 random frequencies approximate it")
	for k, values := range projected(t, p, input.Principal.Rows)[:principalAxesCompared] {
		var m measure.Moments
		for _, x := range values {
			m.Add(x)
		}
		variance := (m.SumSquares - m.Sum*m.Sum/float64(m.N)) / float64(m.N-1)
		agree(t, "principal axes (variance)", fmt.Sprintf("axis %d, 500 rows of 5 columns", k+1), variance, want.Principal[k], 1e-9, "scikit-learn", "")
	}
	var grids []measure.Grid
	binned := func(slices [][]float64) (out []measure.Binned) {
		for k, values := range slices {
			b := measure.Binned{Counts: make([]uint64, len(grids[k])+1)}
			for _, x := range values {
				b.Counts[grids[k].Index(x)]++
				b.Moments.Add(x)
			}
			out = append(out, b)
		}
		return out
	}
	for _, values := range input.Sliced.Reference {
		edges, _ := measure.BuildGrid(slices.Sorted(slices.Values(values)))
		grids = append(grids, edges)
	}
	e, err := measure.SlicedWasserstein(grids, binned(input.Sliced.Reference), binned(input.Sliced.Current))
	if err != nil {
		t.Fatal(err)
	}
	agree(t, "sliced_wasserstein", "6 slices, 5,000 and 2,000 rows", e.Value, want.Sliced, 0.003, "scipy", "theirs from the raw values, ours from 40 cells")
}

func compareTexts(t *testing.T, texts []string, want sequentialReference) {
	for i, text := range texts {
		ours, theirs := measure.DescribeText(text, nil), want.Texts[i]
		if ours.Length != theirs.Length || ours.Tokens != theirs.Tokens || ours.Script != theirs.Script {
			t.Errorf("%q: ours %+v, Python's %+v", text, ours, theirs)
		}
		agree(t, "text, share of non-letters", ours.Script, ours.NonLetters, theirs.NonLetters, 1e-12, "Python's unicodedata", "length, tokens and script agree as well")
	}
}

func compareQuality(t *testing.T, input sequentialInput, want sequentialReference) {
	for i, w := range input.Wilson {
		e, err := measure.QualityCounts{Rows: w[1], Missing: w[0]}.MissingShare(0.95)
		if err != nil {
			t.Fatal(err)
		}
		sample := fmt.Sprintf("%d of %d", w[0], w[1])
		agree(t, "missing_share, lower limit", sample, *e.Lower, want.Wilson[i][0], 1e-12, "scipy", "")
		agree(t, "missing_share, upper limit", sample, *e.Upper, want.Wilson[i][1], 1e-12, "scipy", "")
	}
	var seen measure.HyperLogLog
	for _, r := range input.Rows {
		var hash measure.RowHash
		for _, x := range r {
			hash = hash.Number(x)
		}
		seen.Add(hash)
	}
	value, lower, upper, err := seen.Distinct(0.99)
	if err != nil {
		t.Fatal(err)
	}
	exact := float64(want.Rows)
	row(t, "distinct rows", fmt.Sprintf("%d rows", len(input.Rows)), value, exact, "Python's set", "theirs is exact; ours a sketch of 16 KiB")
	if !(lower <= exact && exact <= upper) {
		t.Errorf("distinct rows: %v in [%v, %v], in truth %v", value, lower, upper, exact)
	}
}
