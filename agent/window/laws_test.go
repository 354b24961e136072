package window

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

func aliasing(b []byte) string { return unsafe.String(&b[0], len(b)) }

// drawRows makes observations of any shape over the loans baseline.
func drawRows(t *rapid.T) []*signal.Observation {
	number := rapid.OneOf(rapid.SampledFrom([]float64{math.NaN(), math.Inf(-1), 10, 20, 0, 1}), rapid.Float64Range(-100, 100))
	text := rapid.SampledFrom([]string{"", "car", "home", "boat", "male", "female", "7"})
	var out []*signal.Observation
	for range rapid.IntRange(0, 6).Draw(t, "requests") {
		rows := rapid.IntRange(0, 7).Draw(t, "rows")
		obs := &signal.Observation{Model: signal.ModelRef{Name: "loans", Version: "1"}, Rows: rows}
		for _, c := range []signal.Column{
			{Name: "income", Target: signal.TargetFeature},
			{Name: "purpose", Target: signal.TargetFeature},
			{Name: "gender", Target: signal.TargetFeature},
			{Name: "approved", Target: signal.TargetPrediction},
		} {
			switch rapid.IntRange(0, 3).Draw(t, "form") {
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

// whole merges what a profiler made of the observations, by column.
func whole(t *rapid.T, o Options, observations []*signal.Observation) map[columnKey]*signal.Distribution {
	merged := map[columnKey]*signal.Distribution{}
	o.Sink = func(w *Closed) {
		for _, d := range w.Distributions {
			key := columnKey{d.Target, d.Feature}
			if merged[key] == nil {
				merged[key] = d
			} else if err := merged[key].Merge(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, obs := range observations {
		p.Observe(obs)
	}
	p.Flush()
	return merged
}

// sameCounts compares all that is exact; sums depend on the order of addition.
func sameCounts(t *rapid.T, a, b map[columnKey]*signal.Distribution) {
	for key, x := range a {
		y := b[key]
		same := y != nil && slices.Equal(x.Counts, y.Counts) && slices.Equal(x.Groups, y.Groups) &&
			x.Missing == y.Missing && x.Other == y.Other && x.New == y.New && x.Invalid == y.Invalid && x.N == y.N &&
			sameNumber(x.Min, y.Min) && sameNumber(x.Max, y.Max) &&
			math.Abs(x.Sum-y.Sum) < 1e-6 && math.Abs(x.SumSquares-y.SumSquares) < 1e-4
		if !same {
			t.Fatalf("%v: %+v and %+v", key, x, y)
		}
	}
}

func sameNumber(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestMergedPartsAreTheWhole(t *testing.T) {
	base := options(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		observations := drawRows(t)
		parts := base
		parts.Count = rapid.Uint64Range(1, 9).Draw(t, "count")
		sameCounts(t, whole(t, base, observations), whole(t, parts, observations))
	})
}

func TestOrderOfRowsChangesNoCount(t *testing.T) {
	base := options(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		observations := drawRows(t)
		shuffled := rapid.Permutation(observations).Draw(t, "requests in another order")
		for i, obs := range shuffled {
			order := rapid.Permutation(indexes(obs.Rows)).Draw(t, "rows in another order")
			shuffled[i] = reorder(obs, order)
		}
		sameCounts(t, whole(t, base, observations), whole(t, base, shuffled))
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
