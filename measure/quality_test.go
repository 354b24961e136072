package measure_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// Limits of scipy.stats.binomtest(...).proportion_ci(0.95, "wilson").
func TestQualityShares(t *testing.T) {
	q := measure.QualityCounts{Rows: 1110, Missing: 100, TypeFault: 10, OutOfRange: 500, New: 0}
	for _, c := range []struct {
		measured           func(float64) (measure.Estimate, error)
		convention         string
		value, lower, high float64
		values             uint64
	}{
		{q.MissingShare, measure.ConventionMissingShare, 100. / 1110, 0.07463035720524307, 0.10837724877533884, 1110},
		{q.TypeFaultShare, measure.ConventionTypeFaultShare, 10. / 1010, 0.0053867993008110465, 0.018129164278372863, 1010},
		{q.OutOfRangeShare, measure.ConventionOutOfRangeShare, 0.5, 0.4690696003681042, 0.5309303996318958, 1000},
		{q.NewCategoryShare, measure.ConventionNewCategoryShare, 0, 0, 0.0038267584855551234, 1000},
	} {
		e, err := c.measured(0.95)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.convention, e.Value, c.value, 1e-15)
		near(t, c.convention+", lower", *e.Lower, c.lower, 1e-14)
		near(t, c.convention+", upper", *e.Upper, c.high, 1e-14)
		if e.Samples != c.values || e.Convention != c.convention {
			t.Errorf("%+v, want %d values and %s", e, c.values, c.convention)
		}
	}
}

func TestQualityLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := func(name string) uint64 { return rapid.Uint64Range(0, 1e6).Draw(t, name) }
		q := measure.QualityCounts{Missing: part("missing"), TypeFault: part("type"), OutOfRange: part("range"), New: part("new")}
		q.Rows = q.Missing + q.TypeFault + q.OutOfRange + q.New + part("good")
		for _, measured := range []func(float64) (measure.Estimate, error){q.MissingShare, q.TypeFaultShare, q.OutOfRangeShare, q.NewCategoryShare} {
			e, err := measured(0.95)
			if err != nil {
				if !errors.Is(err, measure.ErrUndefined) || q.Rows > q.Missing+q.TypeFault {
					t.Fatalf("%+v: %v", q, err)
				}
				continue
			}
			if !(0 <= *e.Lower && *e.Lower <= e.Value && e.Value <= *e.Upper && *e.Upper <= 1) {
				t.Fatalf("%v in [%v, %v]", e.Value, *e.Lower, *e.Upper)
			}
		}
	})
}

func TestConstantColumn(t *testing.T) {
	var same, varied measure.Moments
	for range 3 {
		same.Add(7)
		varied.Add(7)
	}
	varied.Add(math.Nextafter(7, 8))
	if constant, err := measure.ConstantNumbers(same); err != nil || !constant {
		t.Errorf("three times 7: %v, %v", constant, err)
	}
	if constant, err := measure.ConstantNumbers(varied); err != nil || constant {
		t.Errorf("7 and its neighbour: %v, %v", constant, err)
	}
	for _, c := range []struct {
		counts []uint64
		folded uint64
		want   bool
	}{{[]uint64{0, 5, 0}, 0, true}, {[]uint64{1, 5, 0}, 0, false}, {[]uint64{0, 5, 0}, 1, false}} {
		if constant, err := measure.ConstantCategories(c.counts, c.folded); err != nil || constant != c.want {
			t.Errorf("%v and %d: %v, %v", c.counts, c.folded, constant, err)
		}
	}
}

func TestQualityUndefined(t *testing.T) {
	share := func(q measure.QualityCounts, confidence float64) error {
		_, err := q.MissingShare(confidence)
		return err
	}
	numbers := func(m measure.Moments) error {
		_, err := measure.ConstantNumbers(m)
		return err
	}
	categories := func(folded uint64, counts ...uint64) error {
		_, err := measure.ConstantCategories(counts, folded)
		return err
	}
	_, allMissing := measure.QualityCounts{Rows: 5, Missing: 5}.TypeFaultShare(0.95)
	for what, err := range map[string]error{
		"no rows":              share(measure.QualityCounts{}, 0.95),
		"more faults":          share(measure.QualityCounts{Rows: 5, Missing: 3, New: 3}, 0.95),
		"overflow":             share(measure.QualityCounts{Rows: 5, Missing: 1, New: math.MaxUint64}, 0.95),
		"confidence":           share(measure.QualityCounts{Rows: 5}, 1),
		"confidence NaN":       share(measure.QualityCounts{Rows: 5}, math.NaN()),
		"all missing":          allMissing,
		"no numbers":           numbers(measure.Moments{}),
		"one number":           numbers(measure.Moments{N: 1, Min: 3, Max: 3}),
		"NaN":                  numbers(measure.Moments{N: 2, Min: math.NaN(), Max: 3}),
		"no categories":        categories(0),
		"one value":            categories(0, 0, 1),
		"folded":               categories(9, 0, 0),
		"overflowing counts":   categories(0, math.MaxUint64, 1),
		"overflowing by other": categories(1, math.MaxUint64),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v, want undefined", what, err)
		}
	}
}

func FuzzQuality(f *testing.F) {
	f.Add(uint64(10), uint64(1), uint64(2), uint64(3), uint64(4), 0.95)
	f.Add(uint64(1), uint64(math.MaxUint64), uint64(2), uint64(0), uint64(0), math.NaN())
	f.Fuzz(func(t *testing.T, rows, missing, kind, outside, fresh uint64, confidence float64) {
		q := measure.QualityCounts{Rows: rows, Missing: missing, TypeFault: kind, OutOfRange: outside, New: fresh}
		for _, measured := range []func(float64) (measure.Estimate, error){q.MissingShare, q.TypeFaultShare, q.OutOfRangeShare, q.NewCategoryShare} {
			e, err := measured(confidence)
			sound(t, "share", e, err)
		}
	})
}
