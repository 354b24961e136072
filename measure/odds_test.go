package measure_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// drawOutcomes simulates a group of rows whose true rates are known.
func drawOutcomes(random *rand.Rand, rows int, base, tpr, fpr float64) measure.Confusion {
	var c measure.Confusion
	for range rows {
		actual := random.Float64() < base
		rate := fpr
		if actual {
			rate = tpr
		}
		c.Add(random.Float64() < rate, actual)
	}
	return c
}

// The intervals hold the truth as often as they say, also for the measures whose
// interval is put together from others.
func TestIntervalsCover(t *testing.T) {
	const rounds = 2000
	random := rand.New(rand.NewPCG(7, 7))
	var averageOdds, equalizedOdds, impact, auc int
	for range rounds {
		g, r := drawOutcomes(random, 120, 0.4, 0.7, 0.2), drawOutcomes(random, 200, 0.5, 0.8, 0.3)
		if e, err := measure.AverageOddsDifference(g, r, 0.95); err == nil && *e.Lower <= -0.1 && -0.1 <= *e.Upper {
			averageOdds++
		}
		if e, err := measure.EqualizedOdds(g, r, 0.95); err == nil && *e.Lower <= 0.1+1e-12 && 0.1-1e-12 <= *e.Upper {
			equalizedOdds++
		}
		third := drawOutcomes(random, 150, 0.45, 0.7, 0.2)
		truth := (0.4*0.7 + 0.6*0.2) / (0.5*0.8 + 0.5*0.3)
		if e, err := measure.ImpactRatio([]measure.Proportion{r.Selection(), third.Selection(), g.Selection()}, 0.95); err == nil && *e.Lower <= truth && truth <= *e.Upper {
			impact++
		}
		scores, actual := make([]float64, 60), make([]bool, 60)
		for i := range scores {
			actual[i] = i%3 == 0
			scores[i] = random.NormFloat64()
			if actual[i] {
				scores[i] += 2
			}
		}
		cells, err := measure.DistinctScores(scores, actual)
		if err != nil {
			t.Fatal(err)
		}
		truth = 0.5 * math.Erfc(-1) // P(N(2, sqrt 2) > 0)
		if e, err := measure.AUC(cells, 0.95); err == nil && *e.Lower <= truth && truth <= *e.Upper {
			auc++
		}
	}
	// Three standard errors below 95% is 93.5%.
	for name, covered := range map[string]int{"average odds": averageOdds, "equalized odds": equalizedOdds, "impact ratio": impact, "auc": auc} {
		if share := float64(covered) / rounds; share < 0.935 {
			t.Errorf("the interval of %s holds the truth in %.1f%%", name, 100*share)
		}
	}
	// Newcombe's alone is not to be wider than its promise either.
	if share := float64(averageOdds) / rounds; share > 0.98 {
		t.Errorf("the interval of average odds holds the truth in %.1f%%", 100*share)
	}
}

func TestImpactRatioLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := make([]measure.Proportion, rapid.IntRange(2, 6).Draw(t, "groups"))
		favourable := uint64(0)
		for i := range groups {
			groups[i] = proportion(t, "group")
			favourable += groups[i].Favourable
		}
		e, err := measure.ImpactRatio(groups, 0.95)
		if favourable == 0 {
			if !errors.Is(err, measure.ErrUndefined) {
				t.Fatalf("nobody is selected: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !(0 <= *e.Lower && *e.Lower <= e.Value && e.Value <= *e.Upper && *e.Upper <= 1) {
			t.Fatalf("%v not in [%v, %v] or that not in [0, 1]", e.Value, *e.Lower, *e.Upper)
		}
		order := rapid.Permutation(groups).Draw(t, "order")
		if other, err := measure.ImpactRatio(order, 0.95); err != nil || !close(other.Value, e.Value) || !close(*other.Lower, *e.Lower) || !close(*other.Upper, *e.Upper) {
			t.Fatalf("%+v in one order, %+v in another, %v", e, other, err)
		}
		low, high := groups[0], groups[1]
		if float64(low.Favourable)/float64(low.Total) > float64(high.Favourable)/float64(high.Total) {
			low, high = high, low
		}
		if high.Favourable == 0 {
			return
		}
		two, err := measure.ImpactRatio([]measure.Proportion{high, low}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		ratio, err := measure.DisparateImpact(low, high, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		lower := *ratio.Lower
		if ratio.Upper != nil {
			lower = min(lower, 1 / *ratio.Upper)
		}
		if !close(two.Value, ratio.Value) || !close(*two.Lower, lower) || ratio.Upper != nil && *two.Upper > *ratio.Upper+1e-12 {
			t.Fatalf("two groups: %+v, as a ratio %+v", two, ratio)
		}
	})
}

func TestImpactRatioIsUndefined(t *testing.T) {
	some := measure.Proportion{Favourable: 1, Total: 2}
	for what, groups := range map[string][]measure.Proportion{
		"one group":          {some},
		"a group of no rows": {some, {}},
		"nobody selected":    {{Total: 3}, {Total: 4}},
		"too many rows":      {some, {Favourable: 1, Total: math.MaxUint64}},
	} {
		if _, err := measure.ImpactRatio(groups, 0.95); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// By hand: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1, none below the one before.
func TestHolm(t *testing.T) {
	got, err := measure.Holm([]float64{0.04, 0.01, 0.03, 0.02})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.06, 0.04, 0.06, 0.06} {
		near(t, "adjusted", got[i], want, 1e-15)
	}
	for _, bad := range [][]float64{{math.NaN()}, {0.5, -0.1}, {1.5}} {
		if _, err := measure.Holm(bad); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// No adjusted value is below its own or above Bonferroni's, and a smaller
// p-value never gets a larger adjusted one.
func TestHolmLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		adjusted, err := measure.Holm(p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range p {
			if adjusted[i] < p[i] || adjusted[i] > min(1, p[i]*float64(len(p))) {
				t.Fatalf("%v is adjusted to %v among %d", p[i], adjusted[i], len(p))
			}
			for j := range p {
				if p[i] < p[j] && adjusted[i] > adjusted[j] {
					t.Fatalf("%v gets %v, %v gets %v", p[i], adjusted[i], p[j], adjusted[j])
				}
			}
		}
	})
}

// statsmodels.stats.proportion.proportions_ztest([56, 48], [70, 80]).
func TestProportionsTest(t *testing.T) {
	p, err := measure.ProportionsTest(measure.Proportion{Favourable: 56, Total: 70}, measure.Proportion{Favourable: 48, Total: 80})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "p", p, 0.00804508136819656, 1e-14)
	for what, g := range map[string][2]measure.Proportion{
		"no rows":            {{}, {Favourable: 1, Total: 2}},
		"all outcomes agree": {{Total: 2}, {Total: 2}},
		"all favourable":     {{Favourable: 2, Total: 2}, {Favourable: 3, Total: 3}},
		"impossible":         {{Favourable: 3, Total: 2}, {Favourable: 1, Total: 2}},
	} {
		if _, err := measure.ProportionsTest(g[0], g[1]); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
