package measure

import (
	"math"
	"testing"
)

// Values of scipy.stats.chi2.ppf.
func TestChiSquareQuantile(t *testing.T) {
	for _, c := range []struct {
		p    float64
		df   int
		want float64
	}{
		{0.95, 1, 3.841458820694124},
		{0.95, 2, 5.991464547107979},
		{0.95, 9, 16.918977604620448},
		{0.95, 10, 18.307038053275146},
		{0.95, 100, 124.34211340400407},
		{0.05, 1, 0.003932140000019522},
		{0.999, 3, 16.26623619623813},
		{0.5, 40, 39.33534484661134},
		{1e-6, 5, 0.012896160206497087},
	} {
		if got := chiSquareQuantile(c.p, c.df); math.Abs(got/c.want-1) > 1e-12 {
			t.Errorf("chi2(%v, %d) = %.17g, want %.17g", c.p, c.df, got, c.want)
		}
	}
}

// Values of scipy.stats.norm.ppf.
func TestCriticalValue(t *testing.T) {
	for confidence, want := range map[float64]float64{
		0.5:       0.6744897501960817,
		0.8:       1.2815515655446004,
		0.9:       1.6448536269514722,
		0.95:      1.959963984540054,
		0.99:      2.5758293035489004,
		0.999:     3.2905267314919255,
		0.9999999: 5.326723886681888,
	} {
		got, err := criticalValue(confidence)
		if err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("z(%v) = %.17g, %v, want %.17g", confidence, got, err, want)
		}
	}
}

func TestRatioHasNoUpperLimitOverALowerLimitOfZero(t *testing.T) {
	lower, upper := ratioLimits(limits{share: 0.5, lower: 0.4, upper: 0.6}, limits{share: 0.01, lower: 0, upper: 0.05}, 50)
	if upper != nil || !(lower > 0 && lower < 50) {
		t.Errorf("limits %v and %v", lower, upper)
	}
}

// Values of numpy.quantile(x, k/10), method "linear".
func TestQuantileIsNumpys(t *testing.T) {
	x := make([]float64, 1003)
	for i := range x {
		x[i] = float64((i*7919)%104729)/977 - 50
	}
	x = sorted(x)
	for i, want := range []float64{
		-39.268372569089045, -28.648515864892527, -17.870419651995913, -7.250562947799385, 3.4810644831115667,
		14.221903787103383, 24.84176049129989, 35.50808597748209, 46.2489252814739,
	} {
		if got := quantile(x, float64(i+1)/10); got != want {
			t.Errorf("quantile %d/10 = %.17g, want %.17g", i+1, got, want)
		}
	}
	if quantile(x, 0) != x[0] || quantile(x, 1) != x[len(x)-1] {
		t.Error("the quantiles 0 and 1 are not the ends")
	}
}
