package window

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// observed gives one window over an observation under the clerk baseline.
func observed(t *testing.T, obs *signal.Observation) (*collected, *signal.Baseline) {
	t.Helper()
	got := &collected{}
	o := clerkOptions(t, got.take)
	p := profiler(t, o)
	p.Observe(obs)
	p.Flush()
	for _, d := range got.windows[0].Distributions {
		if d.Parts != len(got.windows[0].Distributions) || d.N == 0 {
			t.Errorf("%s %s: %d of %d parts, %d rows", d.Target, d.Feature, d.Parts, len(got.windows[0].Distributions), d.N)
		}
		roundTrip(t, d)
	}
	return got, o.Baseline
}

func TestEveryPartOfTheBaselineIsInTheWindow(t *testing.T) {
	got, b := observed(t, &clerkRows(rand.New(rand.NewPCG(3, 4)), 50).Observation)
	want := map[columnKey]uint64{
		{signal.TargetMultivariate, "profile"}: 50, {signal.TargetEmbedding, "meaning"}: 50,
		{signal.TargetRows, "(rows)"}: 50, {signal.TargetPerformance, "approved"}: 50, {signal.TargetGroup, "gender"}: 50,
	}
	for _, f := range b.Features {
		want[columnKey{f.Target, f.Name}] = 50
	}
	for _, d := range got.windows[0].Distributions {
		key := columnKey{d.Target, d.Feature}
		if n, ok := want[key]; !ok || d.N != n && d.Feature != "letter.trigrams" {
			t.Errorf("%v: %d rows, want %d", key, d.N, n)
		}
		delete(want, key)
	}
	if len(want) > 0 || len(b.Features) != 5+3+2+5 {
		t.Errorf("parts that are not there: %v", want)
	}
}

// The slices and sums of a window are those of its rows, one by one.
func TestJointSets(t *testing.T) {
	sample := clerkRows(rand.New(rand.NewPCG(5, 6)), 40)
	nan := math.NaN()
	sample.column("age").Numbers[3] = nan
	sample.column("income").Numbers[4] = math.Inf(1)
	e0 := sample.column("e0")
	for _, x := range e0.Numbers { // numbers as text count as numbers
		e0.Strings = append(e0.Strings, category.OfNumber(x))
	}
	e0.Numbers, e0.Strings[5], e0.Strings[6] = nil, "many", ""
	got, b := observed(t, &sample.Observation)
	for i := range b.Joint {
		set := &b.Joint[i]
		reader, err := set.Reader()
		if err != nil {
			t.Fatal(err)
		}
		slicesOf := make([]*column, set.Slices())
		for k := range slicesOf {
			if slicesOf[k], err = newColumn(b.Feature(set.Target, set.Slice(k))); err != nil {
				t.Fatal(err)
			}
		}
		sums, row, projected := make([]float64, reader.Embedded()), make([]float64, 2), make([]float64, set.Slices())
		columns := []*signal.Column{sample.column(set.Columns[0]), sample.column(set.Columns[1])}
		for r := range sample.Rows {
			if !reader.Read(columns, r, row) {
				continue
			}
			reader.Project(row, projected)
			reader.Embed(row, sums)
			for k, c := range slicesOf {
				c.addNumbers(projected[k : k+1])
			}
		}
		for k, c := range slicesOf {
			d := got.distribution(t, 0, set.Target, set.Slice(k))
			if !slices.Equal(d.Counts, c.counts) || d.Missing != 2 || d.N != 40 || d.Bounds != c.bounds || d.Sum != c.sum {
				t.Errorf("%s: %+v, want the cells %v", set.Slice(k), d, c.counts)
			}
		}
		d := got.distribution(t, 0, set.Target, set.Name)
		bounds, err := set.KernelBounds()
		if err != nil {
			t.Fatal(err)
		}
		if d.Kind != signal.Sums || !slices.Equal(d.Counts, []uint64{38}) || d.Missing != 2 || d.N != 40 || d.Bounds != bounds || !slices.Equal(d.Embedded, sums) {
			t.Errorf("%s: %+v, want the sums %v", set.Name, d, sums)
		}
	}
}

// A drifted window is told from one like the baseline through the whole of it.
func TestJointDriftOfAWindow(t *testing.T) {
	drifts := func(shift float64) map[string]float64 {
		sample := clerkRows(rand.New(rand.NewPCG(7, 8)), 400)
		for i := range sample.column("e0").Numbers {
			sample.column("e0").Numbers[i] += shift
		}
		got, b := observed(t, &sample.Observation)
		out := map[string]float64{}
		for _, q := range b.JointDrifts(got.windows[0].Distributions) {
			if q.Dimension(signal.KeyFeatureName) == "meaning" {
				out[q.Dimension(signal.KeyDriftMethod)] = q.Estimate.Value
			}
		}
		return out
	}
	same, moved := drifts(0), drifts(2)
	for _, method := range []string{signal.DriftSlicedWasserstein, signal.DriftSlicedJS, signal.DriftMMD} {
		if _, ok := same[method]; !ok || !(moved[method] > 3*same[method]) {
			t.Errorf("%s: %v as it was, %v moved by two deviations", method, same[method], moved[method])
		}
	}
}

// The reference's own texts give the reference's own counts, whatever the size
// of requests.
func TestTextsOfTheBaselineItself(t *testing.T) {
	sample := clerkRows(rand.New(rand.NewPCG(1, 2)), 600) // as clerk draws
	got, b := observed(t, &sample.Observation)
	for _, what := range []string{signal.TextLength, signal.TextTokens, signal.TextNonLetters, signal.TextScript, signal.TextTrigrams} {
		f := b.Feature(signal.TargetText, b.Texts[0].Name(what))
		d := got.distribution(t, 0, signal.TargetText, f.Name)
		if !slices.Equal(d.Counts, f.Counts) || d.N != f.N || d.Missing != f.Missing || d.Sum != f.Sum {
			t.Errorf("%s: %+v, the baseline has %+v", f.Name, d, f)
		}
	}
}

func TestTextsThatAreNone(t *testing.T) {
	got, _ := observed(t, &signal.Observation{Rows: 4, Columns: []signal.Column{
		// An output of this name, since there is no such input.
		{Name: "letter", Target: signal.TargetPrediction, Strings: []string{"", "car", "123", "hidden"}, Missing: []bool{false, false, false, true}},
		{Name: "e0", Target: signal.TargetPrediction, Numbers: []float64{1, 2, 3, 4}},
		{Name: "e1", Target: signal.TargetFeature, Numbers: []float64{1, 2, 3, math.NaN()}},
	}})
	length := got.distribution(t, 0, signal.TargetText, "letter.length")
	if length.Missing != 2 || length.N != 4 || length.Sum != 6 {
		t.Errorf("length: %+v", length)
	}
	if d := got.distribution(t, 0, signal.TargetText, "letter.trigrams"); d.N != 3+3 || d.Missing != 0 { // of " car " and " 123 "
		t.Errorf("trigrams: %+v", d)
	}
	if d := got.distribution(t, 0, signal.TargetEmbedding, "meaning"); d.Counts[0] != 3 || d.Missing != 1 {
		t.Errorf("an embedding, half an output: %+v", d)
	}
	rows := got.distribution(t, 0, signal.TargetRows, rowsName)
	if rows.Counts[0] != 3 || rows.Missing != 1 { // only inputs make a row; the last one has none
		t.Errorf("rows: %+v", rows)
	}
}

// Neither coordinates nor texts are unmonitored, though they are no columns of
// their own, and a doubled one counts once.
func TestWhatIsOnlyDerivedIsMonitored(t *testing.T) {
	p := profiler(t, clerkOptions(t, func(*Closed) {}))
	sample := clerkRows(rand.New(rand.NewPCG(9, 9)), 3)
	sample.Columns = append(sample.Columns, *sample.column("e0"), signal.Column{Name: "e1", Target: signal.TargetFeature, Numbers: []float64{1}})
	p.Observe(&sample.Observation)
	if n := p.Totals().Unmonitored; n != 3 { // gender, e0 again, e1 too short
		t.Errorf("%d columns unmonitored, want 3", n)
	}
	for _, v := range p.Violations() {
		if v.Target != signal.TargetFeature && v.Target != signal.TargetPrediction {
			t.Errorf("violations of %s %s", v.Target, v.Feature)
		}
	}
}

func TestRowsAreDistinctByTheirInputs(t *testing.T) {
	sample := clerkRows(rand.New(rand.NewPCG(11, 12)), 500)
	half := sample.Rows / 2
	for i := range sample.Columns[:7] { // all inputs; the answers differ
		c := &sample.Columns[i]
		if c.Strings == nil {
			copy(c.Numbers[half:], c.Numbers[:half])
		} else {
			copy(c.Strings[half:], c.Strings[:half])
		}
	}
	got, _ := observed(t, &sample.Observation)
	d := got.distribution(t, 0, signal.TargetRows, rowsName)
	distinct, lower, upper, err := d.Distinct.Distinct(0.99)
	if err != nil || !(lower <= 250 && 250 <= upper) || d.Counts[0] != 500 {
		t.Errorf("%v different rows of %d, want 250 of 500; %v", distinct, d.Counts[0], err)
	}
	e, err := measure.DuplicateShare(d.Distinct, d.Counts[0], 0.95)
	if err != nil || math.Abs(e.Value-0.5) > 0.03 {
		t.Errorf("duplicate share %v, %v", e.Value, err)
	}
}

// Sketches of other inputs have other bounds, and a number is the same row
// however it was written.
func TestRowBoundsAndForms(t *testing.T) {
	sketch := func(b *signal.Baseline, columns ...signal.Column) *signal.Distribution {
		var got collected
		o := options(t, got.take)
		o.Baseline = b
		p := profiler(t, o)
		p.Observe(&signal.Observation{Rows: 1, Columns: columns})
		p.Flush()
		return got.distribution(t, 0, signal.TargetRows, rowsName)
	}
	less := loans()
	less.Features = slices.Delete(less.Features, 0, 1)
	number := sketch(loans(), signal.Column{Name: "income", Target: signal.TargetFeature, Numbers: []float64{10}})
	text := sketch(loans(), signal.Column{Name: "income", Target: signal.TargetFeature, Strings: []string{"10.0"}})
	if *number.Distinct != *text.Distinct || number.Bounds != text.Bounds {
		t.Error("10 and \"10.0\" in a column of numbers are different rows")
	}
	if other := sketch(less); other.Bounds == number.Bounds || other.Missing != 1 || other.Counts[0] != 0 {
		t.Errorf("a row without any input: %+v", other)
	}
}

func TestEstimatedPerformanceOfAWindow(t *testing.T) {
	sample := clerkRows(rand.New(rand.NewPCG(13, 14)), 300)
	score, approved := sample.column("score").Numbers, sample.column("approved").Numbers
	score[0], score[1], approved[2] = math.NaN(), math.Inf(1), math.NaN()
	score[3] = 7 // beyond what the calibrator knows
	got, b := observed(t, &sample.Observation)
	var want measure.ExpectedPerformance
	for i, s := range score[3:] {
		if err := want.Add(b.Outcome.Calibrator, s, approved[3+i] == 1); err != nil {
			t.Fatal(err)
		}
	}
	bounds, err := b.Outcome.EstimateBounds()
	if err != nil {
		t.Fatal(err)
	}
	d := got.distribution(t, 0, signal.TargetPerformance, "approved")
	if d.Kind != signal.Sums || d.Counts[0] != 297 || d.Missing != 3 || d.N != 300 || d.Bounds != bounds ||
		!reflect.DeepEqual(*d.Estimated, want) || want.Outside == 0 {
		t.Errorf("%+v, expected %+v; want %+v", d, d.Estimated, want)
	}
}

func TestOutOfRangeAndRateAreTold(t *testing.T) {
	var got collected
	o := options(t, got.take)
	o.Rate = 0.25
	p := profiler(t, o)
	p.Observe(applicants())
	p.Flush()
	p.Flush()
	if d := got.distribution(t, 0, signal.TargetFeature, "income"); d.OutOfRange != 1 || d.Counts[3] != 2 {
		t.Errorf("income: %+v", d)
	}
	for _, d := range slices.Concat(got.windows[0].Distributions, got.windows[1].Distributions) {
		if d.Rate != 0.25 {
			t.Errorf("%s %s has the rate %v", d.Target, d.Feature, d.Rate)
		}
		roundTrip(t, d)
	}
	if d := got.distribution(t, 1, signal.TargetFeature, "income"); d.OutOfRange != 0 {
		t.Errorf("income in the next window: %+v", d)
	}
}

// Rows cost no memory, whatever the baseline makes of them.
func TestRowsAllocateNothing(t *testing.T) {
	p := profiler(t, clerkOptions(t, func(*Closed) {}))
	sample := clerkRows(rand.New(rand.NewPCG(15, 16)), 100)
	sample.column("approved").Strings = slices.Repeat([]string{"refused", "1"}, 50)
	sample.column("income").Strings = slices.Repeat([]string{"many", "12.5"}, 50)
	sample.column("approved").Numbers, sample.column("income").Numbers = nil, nil
	p.Observe(&sample.Observation)
	if n := testing.AllocsPerRun(200, func() { p.Observe(&sample.Observation) }); n != 0 {
		t.Errorf("%v allocations for a request of 100 rows", n)
	}
}
