package window

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// answers is one request whose score has the given mean, in the baseline's
// deviations.
func answers(r *rand.Rand, f *signal.FeatureBaseline, rows int, mean float64) *signal.Observation {
	score := signal.Column{Name: "score", Target: signal.TargetPrediction}
	centre := f.Sum / float64(f.N)
	deviation := math.Sqrt(f.SumSquares/float64(f.N) - centre*centre)
	for range rows {
		score.Numbers = append(score.Numbers, centre+deviation*(mean+r.NormFloat64()))
	}
	return &signal.Observation{Rows: rows, Columns: []signal.Column{score}}
}

// Both methods see a shift of an answer, across windows, as they do on the
// standardised values one by one.
func TestChangesOfAnAnswer(t *testing.T) {
	o := clerkOptions(t, func(*Closed) {})
	p := profiler(t, o)
	f := o.Baseline.Feature(signal.TargetPrediction, "score")
	r := rand.New(rand.NewPCG(1, 2))
	var values []float64
	for i := range 40 {
		obs := answers(r, f, 100, map[bool]float64{true: 2}[i >= 20])
		obs.Columns[0].Numbers[7] = math.NaN()
		values = append(values, obs.Columns[0].Numbers...)
		p.Observe(obs)
		p.Flush()
		if i == 19 {
			for _, c := range p.Changes() {
				if c.Method == signal.ChangeADWIN && c.Count != 0 {
					t.Errorf("a change before there was one: %+v", c)
				}
			}
		}
	}
	var adwin measure.ADWIN
	var pageHinkley measure.PageHinkley
	want := []Changes{
		{"approved", signal.ChangeADWIN, 0},
		{"approved", signal.ChangePageHinkley, 0},
		{"score", signal.ChangeADWIN, 0},
		{"score", signal.ChangePageHinkley, 0},
	}
	w := changeWatch{scale: 1}
	w.standardise(f)
	for _, x := range values {
		if math.IsNaN(x) {
			continue
		}
		for i, add := range []func(float64) (bool, error){adwin.Add, pageHinkley.Add} {
			changed, err := add((x - w.mean) / w.scale)
			if err != nil {
				t.Fatal(err)
			}
			if changed {
				want[2+i].Count++
			}
		}
	}
	if got := p.Changes(); !reflect.DeepEqual(got, want) || want[2].Count == 0 || want[3].Count == 0 {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// The decision is watched as favourable or not, whatever it is called.
func TestChangesOfADecision(t *testing.T) {
	o := clerkOptions(t, func(*Closed) {})
	p := profiler(t, o)
	decide := func(rows, favourable int) {
		approved := signal.Column{Name: "approved", Target: signal.TargetPrediction, Strings: make([]string, rows)}
		for i := range rows {
			approved.Strings[i] = map[bool]string{true: "1", false: "0"}[i%10 < favourable]
		}
		p.Observe(&signal.Observation{Rows: rows, Columns: []signal.Column{approved}})
	}
	decide(2000, 5)
	decide(2000, 9)
	for _, c := range p.Changes() {
		if want := c.Feature == "approved"; (c.Count > 0) != want {
			t.Errorf("%+v", c)
		}
	}
}

// A column that was constant in the baseline has no deviation: its unit stays.
func TestStandardiseAConstant(t *testing.T) {
	w := changeWatch{scale: 1}
	w.standardise(&signal.FeatureBaseline{N: 3, Sum: 0.3, SumSquares: 0.1 * 0.1 * 3})
	if w.scale != 1 || math.Abs(w.mean-0.1) > 1e-12 {
		t.Errorf("%+v", w)
	}
	w.standardise(&signal.FeatureBaseline{N: 2, Missing: 2})
	if w.scale != 1 {
		t.Errorf("nothing but missing values: %+v", w)
	}
}
