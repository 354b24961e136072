package measure_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func TestEffectiveRows(t *testing.T) {
	var w measure.Weights
	for _, x := range []float64{1, 1, 1, 10} {
		if err := w.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	n, err := w.EffectiveRows(1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "effective rows", n, 169.0/103, 1e-15)
	n, err = w.EffectiveRows(4)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "of correlated rows", n, 169.0/412, 1e-15)
	for what, err := range map[string]error{
		"no rows":                errorOf(measure.Weights{}.EffectiveRows(1)),
		"design effect below 1":  errorOf(w.EffectiveRows(0.5)),
		"design effect NaN":      errorOf(w.EffectiveRows(math.NaN())),
		"weight 0":               w.Add(0),
		"weight NaN":             w.Add(math.NaN()),
		"weight infinite":        w.Add(math.Inf(1)),
		"more favourable":        errorOf(measure.WeightedProportion(14, w, 1, 0.95)),
		"negative favourable":    errorOf(measure.WeightedProportion(-1, w, 1, 0.95)),
		"confidence of 1":        errorOf(measure.WeightedProportion(1, w, 1, 1)),
		"loss: no rows":          boundsError(measure.LossBounds(measure.Proportion{}, 0)),
		"loss: impossible":       boundsError(measure.LossBounds(measure.Proportion{Favourable: 2, Total: 1}, 3)),
		"loss: beyond 64 bits":   boundsError(measure.LossBounds(measure.Proportion{Favourable: 2, Total: math.MaxUint64}, 3)),
		"one request":            errorOf(measure.Requests{Count: 1, Rows: 2, Favourable: 1, RowsSquared: 4, RowsFavourable: 2, FavourableSquare: 1}.DesignEffect()),
		"a request without rows": (&measure.Requests{}).Add(measure.Proportion{}),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func boundsError(_, _ float64, err error) error { return err }

// Equal weights are no weights: as many effective rows as rows, and the same
// interval as the plain proportion.
func TestEqualWeightsAreNoWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := measure.Proportion{Total: rapid.Uint64Range(1, 200).Draw(t, "total")}
		p.Favourable = rapid.Uint64Range(0, p.Total).Draw(t, "favourable")
		weight := rapid.Float64Range(1e-3, 1e3).Draw(t, "weight")
		var w, part measure.Weights
		favourable := 0.0
		for i := range p.Total {
			into := &w
			if i%3 == 0 {
				into = &part
			}
			if err := into.Add(weight); err != nil {
				t.Fatal(err)
			}
			if i < p.Favourable {
				favourable += weight
			}
		}
		w.Merge(part)
		e, err := measure.WeightedProportion(favourable, w, 1, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		lower, upper, err := measure.Wilson(p, 0.95)
		if err != nil || math.Abs(e.Value-float64(p.Favourable)/float64(p.Total)) > 1e-9 || math.Abs(*e.Lower-lower) > 1e-9 || math.Abs(*e.Upper-upper) > 1e-9 {
			t.Fatalf("%v [%v, %v], plain [%v, %v]", e.Value, *e.Lower, *e.Upper, lower, upper)
		}
	})
}

func TestDesignEffect(t *testing.T) {
	var same, single measure.Requests
	for i := range 400 {
		x := uint64(i % 2)
		if err := errors.Join(same.Add(measure.Proportion{Favourable: 5 * x, Total: 5}), single.Add(measure.Proportion{Favourable: x, Total: 1})); err != nil {
			t.Fatal(err)
		}
	}
	effect, err := same.DesignEffect()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "five equal rows a request", effect, 5*400.0/399, 1e-12)
	if effect, err = single.DesignEffect(); err != nil {
		t.Fatal(err)
	}
	near(t, "one row a request", effect, 400.0/399, 1e-12)
}

func TestLossBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := proportion(t, "seen")
		lost := rapid.Uint64Range(0, 1_000_000).Draw(t, "lost")
		favourable := rapid.Uint64Range(0, lost).Draw(t, "favourable among the lost")
		least, greatest, err := measure.LossBounds(p, lost)
		truth := float64(p.Favourable+favourable) / float64(p.Total+lost)
		if err != nil || !(0 <= least && least <= truth && truth <= greatest && greatest <= 1) {
			t.Fatalf("%v not in [%v, %v], %v", truth, least, greatest, err)
		}
		if lost == 0 && least != greatest {
			t.Fatalf("nothing is lost: [%v, %v]", least, greatest)
		}
	})
}
