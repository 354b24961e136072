package signal

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/measure"
)

// service draws the reference of a model with all that a baseline can hold: four
// numbers that two factors move, a score, a decision, a label and a text.
func service(seed uint64, n int) ([]Column, BuildOptions) {
	random := rand.New(rand.NewPCG(seed, 5))
	inputs := make([]Column, 4)
	for k := range inputs {
		inputs[k] = Column{Name: FeatureName(fmt.Sprintf("x%d", k)), Target: TargetFeature}
	}
	score := Column{Name: "probability", Target: TargetPrediction}
	approved := Column{Name: "approved", Target: TargetPrediction}
	label := Column{Name: "repaid"}
	question := Column{Name: "question"}
	for range n {
		f, g := random.NormFloat64(), random.NormFloat64()
		for k := range inputs {
			factor := f
			if k > 1 {
				factor = g
			}
			inputs[k].Numbers = append(inputs[k].Numbers, factor+0.2*random.NormFloat64())
		}
		p := 1 / (1 + math.Exp(-f))
		score.Numbers = append(score.Numbers, p)
		approved.Numbers = append(approved.Numbers, math.Round(p))
		outcome := 0.0
		if random.Float64() < p {
			outcome = 1
		}
		label.Numbers = append(label.Numbers, outcome)
		words := []string{"How", "late", "is", "the", "next", "train", "to", "Prague", "today"}
		random.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		question.Strings = append(question.Strings, strings.Repeat(strings.Join(words[:1+random.IntN(3)], " ")+"? ", 4)) // trigrams belong together
	}
	inputs[0].Numbers[3] = math.NaN()
	question.Strings[7] = ""
	return append(inputs, score, approved), BuildOptions{
		Model: ModelRef{Name: "m"}, Outcome: &approved, Favourable: Favourable{Values: []string{"1"}},
		Score: "probability", Label: &label,
		Joint: []JointColumns{{Name: "inputs", Target: TargetMultivariate, Columns: slices.Clone(inputs), Axes: 4}},
		Texts: []TextColumn{{Column: question}},
	}
}

func TestBuildParts(t *testing.T) {
	const n = 4000
	columns, o := service(1, n)
	o.Windows = 40
	b := mustBuild(t, columns, o)
	if c := b.Outcome.Calibrator; b.Outcome.Output != "approved" || c == nil || c.Rows != n || len(c.Scores) > 258 {
		t.Errorf("outcome %+v", b.Outcome)
	}
	j := b.Joint[0]
	first := b.Feature(TargetMultivariate, "inputs/01")
	if j.Slices() != 4 || j.Slice(3) != "inputs/04" || first == nil || b.Feature(TargetMultivariate, "inputs/05") != nil {
		t.Fatalf("slices of %+v", j)
	}
	// A quarter finds the axes and is not counted; the row without x0 is missing.
	if first.Missing > 1 || first.N < n*7/10 || first.N > n*8/10 || j.Kernel.Rows != first.N-first.Missing {
		t.Errorf("%d rows of slice 1, %d missing, %d of the kernel", first.N, first.Missing, j.Kernel.Rows)
	}
	for i, l := range j.Limits {
		if l.Method != []string{DriftSlicedWasserstein, DriftSlicedJS, DriftMMD}[i] || l.Windows != 40 || l.Alpha != 0.05 || l.Rows < 60 || l.Rows > 80 {
			t.Errorf("limit %+v", l)
		}
	}
	for what, n := range map[string]uint64{TextLength: n, TextTokens: n, TextNonLetters: n, TextScript: n} {
		f := b.Feature(TargetText, b.Texts[0].Name(what))
		if f == nil || f.N != n || f.Missing != 1 {
			t.Errorf("%s: %+v", what, f)
		}
	}
	trigrams := b.Feature(TargetText, "question.trigrams")
	if trigrams.N < 20*n || len(trigrams.Counts) != defaultTrigrams || trigrams.Deflation <= 1 {
		t.Errorf("%d trigrams in %d cells, deflated by %v", trigrams.N, len(trigrams.Counts), trigrams.Deflation)
	}
	for _, f := range b.Features {
		// Independent rows: within the noise of 40 windows, which of two cells is 0.23.
		if f.Name != trigrams.Name && len(f.Counts) > 1 && (f.Deflation < 1 || f.Deflation > 1.9) {
			t.Errorf("%s %s: deflation %v", f.Target, f.Name, f.Deflation)
		}
	}
	raw, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseBaseline(raw)
	if err != nil || !reflect.DeepEqual(back.Joint, b.Joint) || !reflect.DeepEqual(back.Texts, b.Texts) || !reflect.DeepEqual(back.Outcome, b.Outcome) {
		t.Errorf("read back: %v", err)
	}
	if again := mustBuild(t, columns, o); !reflect.DeepEqual(again, b) {
		t.Error("the same data gives another baseline")
	}
}

// Blocks of rows that stay together are what a Deflation is to find.
func TestDeflationFindsDependentRows(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	sticky := Column{Name: "sticky", Target: TargetFeature}
	constant := Column{Name: "constant", Target: TargetFeature}
	level := 0.0
	for i := range 5000 {
		if i%10 == 0 {
			level = random.NormFloat64()
		}
		sticky.Numbers = append(sticky.Numbers, level+1e-6*random.NormFloat64())
		constant.Numbers = append(constant.Numbers, 7)
	}
	b := mustBuild(t, []Column{sticky, constant}, BuildOptions{Windows: 50})
	if phi := b.Features[0].Deflation; phi < 7 || phi > 13 {
		t.Errorf("rows ten by ten: deflation %v", phi)
	}
	if phi := b.Features[1].Deflation; phi != 0 {
		t.Errorf("a constant column: deflation %v", phi)
	}
	if b := mustBuild(t, []Column{sticky}, BuildOptions{}); b.Features[0].Deflation != 0 {
		t.Error("a deflation without windows")
	}
	// The evidence of one odd window, ten rows at a time, shrinks by it.
	f := b.Features[0]
	odd := f.count(&sticky, 0, 100)
	deflated, err := f.Evidence(measure.DriftEvidence{}, odd)
	if err != nil {
		t.Fatal(err)
	}
	f.Deflation = 0
	raw, err := f.Evidence(measure.DriftEvidence{}, odd)
	if err != nil {
		t.Fatal(err)
	}
	if !(deflated.Estimate().Value < raw.Estimate().Value/10) {
		t.Errorf("evidence %v, deflated %v", raw.Estimate().Value, deflated.Estimate().Value)
	}
}

func TestBuildPartsRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(columns []Column, o *BuildOptions)
		want  string
	}{
		"one column": {func(_ []Column, o *BuildOptions) { o.Joint[0].Columns = o.Joint[0].Columns[:1] }, `joint set "inputs": fewer than two columns`},
		"no rows": {func(_ []Column, o *BuildOptions) {
			o.Joint[0].Columns[1].Numbers = slices.Repeat([]float64{math.NaN()}, 100)
		}, `joint set "inputs": 0 complete rows to find the axes`},
		"other rows": {func(_ []Column, o *BuildOptions) { o.Joint[0].Columns[1].Numbers = []float64{1} }, `column "x1" has 1 rows, the others 100`},
		"twice":      {func(_ []Column, o *BuildOptions) { o.Joint = append(o.Joint, o.Joint[0]) }, "a second multivariate of this name"},
		"target":     {func(_ []Column, o *BuildOptions) { o.Joint[0].Target = TargetFeature }, `target: "feature" is neither multivariate nor embedding`},
		"text of numbers": {func(_ []Column, o *BuildOptions) {
			o.Texts[0].Column = Column{Name: "q", Numbers: make([]float64, 100)}
		}, `text "q": 100 rows of text are needed`},
		"empty texts":   {func(_ []Column, o *BuildOptions) { o.Texts[0].Column.Strings = make([]string, 100) }, `column "question.length": every value is missing`},
		"one class":     {func(_ []Column, o *BuildOptions) { o.Label.Numbers = make([]float64, 100) }, `outcome: label "repaid": fit a calibrator: 0 positives among 100 rows`},
		"no score":      {func(_ []Column, o *BuildOptions) { o.Score = "" }, "labels need a score"},
		"unknown score": {func(_ []Column, o *BuildOptions) { o.Score = "x0" }, `score "x0" is no numeric prediction`},
		"no rule":       {func(_ []Column, o *BuildOptions) { o.Favourable = Favourable{} }, "labels need a score that they calibrate, and which"},
		"label rows":    {func(_ []Column, o *BuildOptions) { o.Label.Numbers = o.Label.Numbers[1:] }, `label "repaid" has 99 rows, the score 100`},
		"no outcome":    {func(_ []Column, o *BuildOptions) { o.Outcome = nil }, "a score or a label, but nothing that is decided by it"},
		"many windows":  {func(_ []Column, o *BuildOptions) { o.Windows = 20_000 }, "20000 windows; 0 to 10000"},
	} {
		columns, o := service(2, 100)
		c.spoil(columns, &o)
		if _, err := BuildBaseline(columns, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// Rows that are mostly equal have axes and no kernel; fewer than 19 windows give
// no limit.
func TestBuildJointWithoutKernelOrLimits(t *testing.T) {
	columns, o := service(3, 400)
	for k := range o.Joint[0].Columns {
		c := &o.Joint[0].Columns[k]
		c.Numbers = slices.Clone(c.Numbers)
		for i := range c.Numbers {
			if i%4 != 0 {
				c.Numbers[i] = 1
			}
		}
	}
	o.Windows = 18
	j := mustBuild(t, columns, o).Joint[0]
	if j.Kernel != nil || len(j.Limits) != 0 {
		t.Errorf("kernel %v, limits %v", j.Kernel, j.Limits)
	}
	if _, err := j.KernelBounds(); err == nil {
		t.Error("bounds of no kernel")
	}
	columns, o = service(3, 400)
	o.Joint[0].Frequencies = -1
	o.Windows = 20
	j = mustBuild(t, columns, o).Joint[0]
	if j.Kernel != nil || len(j.Limits) != 2 {
		t.Errorf("kernel %v, limits %v", j.Kernel, j.Limits)
	}
	o.Joint[0].Columns = o.Joint[0].Columns[2:]
	for k := range o.Joint[0].Columns {
		o.Joint[0].Columns[k].Numbers = slices.Repeat([]float64{1}, 400)
	}
	if _, err := BuildBaseline(columns, o); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("constant columns: %v", err)
	}
}

func TestRegressionAndClassesOutcome(t *testing.T) {
	columns, o := service(4, 100)
	o.Favourable, o.Score, o.Label = Favourable{}, "", nil
	b := mustBuild(t, columns, o)
	if *b.Outcome != (OutcomeBaseline{Output: "approved"}) {
		t.Errorf("%+v", b.Outcome)
	}
}

// Windows without a change stay below the limits, also where there are many
// columns for the rows: along axes that were found on the rows that are counted,
// most of them would not.
func TestJointLimitsHoldForManyColumns(t *testing.T) {
	const columns, rows, windows, size = 250, 4000, 25, 160
	random := rand.New(rand.NewPCG(7, 7))
	draw := func(n int) []Column {
		out := make([]Column, columns)
		for k := range out {
			out[k] = Column{Name: FeatureName(fmt.Sprintf("e.%d", k)), Target: TargetFeature}
			for range n {
				out[k].Numbers = append(out[k].Numbers, random.NormFloat64())
			}
		}
		return out
	}
	b := mustBuild(t, draw(rows)[:1], BuildOptions{Windows: windows, Joint: []JointColumns{{Name: "e", Target: TargetEmbedding, Columns: draw(rows)}}})
	over := map[string]int{}
	const fresh = 50
	for range fresh {
		found := b.JointDrifts(jointWindow(t, b, draw(size)))
		if len(found) != 6 {
			t.Fatalf("%+v", found)
		}
		for i := 0; i < len(found); i += 2 {
			if found[i].Estimate.Value > found[i+1].Estimate.Value {
				over[found[i].Dimension(KeyDriftMethod)]++
			}
		}
	}
	t.Logf("of %d windows without a change above the limit: %v", fresh, over)
	for method, n := range over {
		if n > fresh*15/100 { // 5% are expected of limits that are estimates themselves
			t.Errorf("%s: %d of %d windows without a change are above the limit", method, n, fresh)
		}
	}
}
