package window

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

func aliasing(b []byte) string { return unsafe.String(&b[0], len(b)) }

// drawRows makes observations of any shape over the clerk baseline.
func drawRows(t *rapid.T) []*signal.Observation {
	number := rapid.OneOf(rapid.SampledFrom([]float64{math.NaN(), math.Inf(-1), 10, 20, 0, 1}), rapid.Float64Range(-100, 100))
	text := rapid.SampledFrom([]string{"", "car", "home", "boat trip", "male", "female", "7", "Привет"})
	var out []*signal.Observation
	for range rapid.IntRange(0, 6).Draw(t, "requests") {
		rows := rapid.IntRange(0, 7).Draw(t, "rows")
		obs := &signal.Observation{Model: signal.ModelRef{Name: "loans", Version: "1"}, Rows: rows}
		for _, c := range []signal.Column{
			{Name: "income", Target: signal.TargetFeature},
			{Name: "age", Target: signal.TargetFeature},
			{Name: "purpose", Target: signal.TargetFeature},
			{Name: "gender", Target: signal.TargetFeature},
			{Name: "e0", Target: signal.TargetFeature},
			{Name: "e1", Target: signal.TargetFeature},
			{Name: "letter", Target: signal.TargetFeature},
			{Name: "approved", Target: signal.TargetPrediction},
			{Name: "score", Target: signal.TargetPrediction},
		} {
			switch rapid.IntRange(0, 4).Draw(t, "form") {
			case 0:
				continue // the request lacks it
			case 1:
				c.Strings = rapid.SliceOfN(text, rows, rows).Draw(t, "texts")
				c.Missing = rapid.SliceOfN(rapid.Bool(), rows, rows).Draw(t, "missing")
			default:
				c.Numbers = rapid.SliceOfN(number, rows, rows).Draw(t, "numbers")
			}
			obs.Columns = append(obs.Columns, c)
		}
		out = append(out, obs)
	}
	return out
}

// whole merges what a profiler made of the observations, by column. Before each
// it does what there is to do between two.
func whole(t *rapid.T, o Options, observations []*signal.Observation, between func(p *Profiler)) map[columnKey]*signal.Distribution {
	merged := map[columnKey]*signal.Distribution{}
	o.Sink = func(w *Closed) {
		for _, d := range w.Distributions {
			key := columnKey{d.Target, d.Feature}
			if merged[key] == nil {
				merged[key] = d
				continue
			}
			if d.Target == signal.TargetGroup {
				merged[key].Held = 0 // of a window that is followed by another one
			}
			if err := merged[key].Merge(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, obs := range observations {
		if between != nil {
			between(p)
		}
		p.Observe(obs)
	}
	p.Flush()
	return merged
}

// sameCounts compares all that is exact; sums depend on the order of addition.
func sameCounts(t *rapid.T, a, b map[columnKey]*signal.Distribution) {
	if len(a) != len(b) {
		t.Fatalf("%d columns and %d", len(a), len(b))
	}
	for key, x := range a {
		y := b[key]
		same := y != nil && slices.Equal(x.Counts, y.Counts) && reflect.DeepEqual(x.Groups, y.Groups) &&
			x.Missing == y.Missing && x.Other == y.Other && x.New == y.New && x.Invalid == y.Invalid && x.N == y.N &&
			x.OutOfRange == y.OutOfRange && x.Held == y.Held && reflect.DeepEqual(x.Distinct, y.Distinct) &&
			sameNumber(x.Min, y.Min) && sameNumber(x.Max, y.Max) &&
			math.Abs(x.Sum-y.Sum) < 1e-6 && math.Abs(x.SumSquares-y.SumSquares) < 1e-4 &&
			near(x.Embedded, y.Embedded) && sameEstimate(x.Estimated, y.Estimated)
		if !same {
			t.Fatalf("%v:\n%s\n%s", key, describe(x), describe(y))
		}
	}
}

func describe(d *signal.Distribution) string {
	if d == nil {
		return "none"
	}
	c := *d
	c.Distinct = nil
	return fmt.Sprintf("%+v, expected %+v", c, d.Estimated)
}

func sameNumber(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func near(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-9 })
}

func sameEstimate(a, b *measure.ExpectedPerformance) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Rows == b.Rows && a.Outside == b.Outside && near(a.Positives, b.Positives) && near(a.Negatives, b.Negatives) &&
		near([]float64{a.TruePositive, a.FalsePositive, a.TrueNegative, a.FalseNegative}, []float64{b.TruePositive, b.FalsePositive, b.TrueNegative, b.FalseNegative})
}

// withoutRequests drops what a request that falls into two windows changes.
func withoutRequests(parts map[columnKey]*signal.Distribution) map[columnKey]*signal.Distribution {
	for _, d := range parts {
		for i := range d.Groups {
			d.Groups[i].Requests = nil
		}
	}
	return parts
}

// Windows by time, which a request falls into as a whole, add up to one window in
// every part; so do windows by count, which may cut a request in two, but for the
// requests that the rows of groups came in.
func TestMergedPartsAreTheWhole(t *testing.T) {
	base := clerkOptions(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		observations := drawRows(t)
		sameCounts(t, whole(t, base, observations, nil), whole(t, base, observations, func(p *Profiler) {
			if rapid.Bool().Draw(t, "a window ends") {
				p.Flush()
			}
		}))
		parts := base
		parts.Count = rapid.Uint64Range(1, 9).Draw(t, "count")
		sameCounts(t, withoutRequests(whole(t, base, observations, nil)), withoutRequests(whole(t, parts, observations, nil)))
	})
}

func TestOrderOfRowsChangesNoCount(t *testing.T) {
	base := clerkOptions(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		observations := drawRows(t)
		shuffled := rapid.Permutation(observations).Draw(t, "requests in another order")
		for i, obs := range shuffled {
			order := rapid.Permutation(indexes(obs.Rows)).Draw(t, "rows in another order")
			shuffled[i] = reorder(obs, order)
		}
		sameCounts(t, whole(t, base, observations, nil), whole(t, base, shuffled, nil))
	})
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func reorder(obs *signal.Observation, order []int) *signal.Observation {
	out := &signal.Observation{Model: obs.Model, Rows: obs.Rows}
	for _, c := range obs.Columns {
		n := signal.Column{Name: c.Name, Target: c.Target}
		for _, i := range order {
			if c.Strings == nil {
				n.Numbers = append(n.Numbers, c.Numbers[i])
			} else {
				n.Strings, n.Missing = append(n.Strings, c.Strings[i]), append(n.Missing, c.Missing[i])
			}
		}
		out.Columns = append(out.Columns, n)
	}
	return out
}
