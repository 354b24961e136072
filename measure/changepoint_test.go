package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

// detector is what both change detectors are.
type detector interface{ Add(x float64) (bool, error) }

func changes(t *testing.T, d detector, values []float64) []int {
	t.Helper()
	var at []int
	for i, x := range values {
		changed, err := d.Add(x)
		if err != nil {
			t.Fatal(err)
		}
		if changed {
			at = append(at, i)
		}
	}
	return at
}

// A step from 0 to 1 after 1,000 values without noise, by hand: Page-Hinkley
// sums up 1 - mean - 0.005 per value, ADWIN looks at the first multiple of 32
// after which five values are new.
func TestChangesOfAStep(t *testing.T) {
	values := append(make([]float64, 1000), slices.Repeat([]float64{1}, 100)...)
	if at := changes(t, &measure.PageHinkley{}, values); !slices.Equal(at, []int{1051}) {
		t.Errorf("page-hinkley: %v", at)
	}
	if at := changes(t, &measure.ADWIN{}, values); !slices.Equal(at, []int{1023}) {
		t.Errorf("adwin: %v", at)
	}
	down := make([]float64, len(values))
	for i, x := range values {
		down[i] = -x
	}
	if at := changes(t, &measure.PageHinkley{}, down); !slices.Equal(at, []int{1051}) {
		t.Errorf("page-hinkley, down: %v", at)
	}
}

func TestNoChangesInNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := drawn(20_000, random.NormFloat64)
	if at := changes(t, &measure.ADWIN{}, values); at != nil {
		t.Errorf("adwin: %v", at)
	}
}

// Its window takes a logarithm of the stream's length, and its sums are right.
func TestADWINWindow(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var a measure.ADWIN
	if _, err := a.Mean(); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("the mean of nothing: %v", err)
	}
	values := drawn(5000, random.Float64)
	if at := changes(t, &a, values); at != nil {
		t.Fatal(at)
	}
	var sum, inBuckets, count float64
	for _, x := range values {
		sum += x
	}
	for i, level := range a.Buckets {
		for _, s := range level {
			inBuckets += s
			count += math.Pow(2, float64(i))
		}
	}
	mean, err := a.Mean()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean", mean, sum/5000, 1e-12)
	near(t, "sum of the buckets", inBuckets, sum, 1e-8)
	near(t, "variance", a.Spread/5000, 1./12, 5e-3)
	if count != 5000 || len(a.Buckets) > 12 {
		t.Errorf("%v values in %d sizes of buckets", count, len(a.Buckets))
	}
}

func TestDetectorsResume(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	values := drawn(3000, random.NormFloat64)
	for i := range values[1000:] {
		values[1000+i] += 2
	}
	for name, pair := range map[string][3]detector{
		"adwin":        {&measure.ADWIN{}, &measure.ADWIN{}, &measure.ADWIN{}},
		"page-hinkley": {&measure.PageHinkley{}, &measure.PageHinkley{}, &measure.PageHinkley{}},
	} {
		whole, first, second := pair[0], pair[1], pair[2]
		want := changes(t, whole, values)
		got := changes(t, first, values[:1010])
		raw, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, second); err != nil {
			t.Fatal(err)
		}
		for _, at := range changes(t, second, values[1010:]) {
			got = append(got, 1010+at)
		}
		if len(want) == 0 || !slices.Equal(got, want) || !reflect.DeepEqual(whole, second) {
			t.Errorf("%s: changes %v, with a break %v; state %+v, with a break %+v", name, want, got, whole, second)
		}
	}
}

func TestDetectorsRefuseWhatIsNoNumber(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e141} {
		a, p := measure.ADWIN{}, measure.PageHinkley{}
		if _, err := a.Add(x); !errors.Is(err, measure.ErrUndefined) || a.N != 0 {
			t.Errorf("adwin, %v: %v", x, err)
		}
		if _, err := p.Add(x); !errors.Is(err, measure.ErrUndefined) || p.N != 0 {
			t.Errorf("page-hinkley, %v: %v", x, err)
		}
	}
}

func BenchmarkADWIN(b *testing.B) {
	random := rand.New(rand.NewPCG(7, 8))
	values := drawn(1<<14, random.NormFloat64)
	var a measure.ADWIN
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := a.Add(values[i&(1<<14-1)]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPageHinkley(b *testing.B) {
	random := rand.New(rand.NewPCG(7, 8))
	values := drawn(1<<14, random.NormFloat64)
	var p measure.PageHinkley
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := p.Add(values[i&(1<<14-1)]); err != nil {
			b.Fatal(err)
		}
	}
}
