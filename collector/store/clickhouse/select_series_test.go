package clickhouse_test

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// awkward are values that break quoting, escaping or matching somewhere.
var awkward = []string{
	"", "a", "b", "ab", "A", `'`, `"`, `\`, `\\'`, "`", "a\tb", "line\nbreak", "cr\r", "nul\x00l", "ünïcode", "😀",
	"{m0:String}", "?", "$1", "%", "_", ".*", "a.b", "a|b", "(", `\n`, `\N`, "NULL", " ", "--", "/*", ";", "@x",
}

// reference says what a matcher means.
func reference(m model.Matcher, s model.Series) bool {
	value := ""
	if m.Name == "__name__" {
		value = s.Name
	}
	for _, l := range s.Labels {
		if l.Name == m.Name {
			value = l.Value
		}
	}
	switch m.Type {
	case model.MatchEqual:
		return value == m.Value
	case model.MatchNotEqual:
		return value != m.Value
	case model.MatchRegexp:
		return regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	default:
		return !regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	}
}

// TestMatchersMeanWhatTheyMeanInPromQL compares with the reference, over
// labels that have a column of their own and labels that have not.
func TestMatchersMeanWhatTheyMeanInPromQL(t *testing.T) {
	s := storetest.Open(t)
	names := []string{"evenkeel_scope", "free", "o'dd"}
	var all []model.Series
	for i, v := range awkward {
		all = append(all, series(fmt.Sprint("m", i%3), names[i%3], v, names[(i+1)%3], awkward[(i*7)%len(awkward)]))
	}
	write(t, s, model.SpoolBatch(1), &model.Rows{Series: all}, model.FirstTry)
	matcher := rapid.Custom(func(t *rapid.T) model.Matcher {
		m := model.Matcher{
			Name: rapid.SampledFrom(append(names, "__name__", "absent")).Draw(t, "name"),
			Type: model.MatchType(rapid.IntRange(0, 3).Draw(t, "type")),
		}
		m.Value = rapid.SampledFrom(append(slices.Clone(awkward), "m1")).Draw(t, "value")
		if m.Type >= model.MatchRegexp {
			patterns := []string{"", ".*", ".+", "a|b", "a.*", "[^a]+", "(?i)A", "m[12]", "line.break", "ü.*"}
			m.Value = rapid.OneOf(rapid.SampledFrom(patterns), rapid.Just(regexp.QuoteMeta(m.Value))).Draw(t, "pattern")
		}
		return m
	})
	rapid.Check(t, func(rt *rapid.T) {
		matchers := rapid.SliceOfN(matcher, 0, 3).Draw(rt, "matchers")
		var want []uint64
		for _, x := range all {
			if !slices.ContainsFunc(matchers, func(m model.Matcher) bool { return !reference(m, x) }) {
				want = append(want, x.Fingerprint)
			}
		}
		found, err := s.FindSeries(t.Context(), matchers, noon, noon)
		if err != nil {
			rt.Fatal(err)
		}
		var got []uint64
		for _, x := range found {
			got = append(got, x.Fingerprint)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, slices.Compact(want)) {
			rt.Fatalf("got %d series, want %d", len(got), len(want))
		}
	})
}

func TestABadPatternIsInvalid(t *testing.T) {
	s := storetest.Open(t)
	_, err := s.SelectSeries(t.Context(), []model.Matcher{{Name: "a", Type: model.MatchRegexp, Value: "("}}, noon, noon)
	if errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v", err)
	}
}

// TestSamplesAreOrderedAndUnique writes the same times in several batches.
func TestSamplesAreOrderedAndUnique(t *testing.T) {
	s := storetest.Open(t)
	all := []model.Series{series("b"), series("a", "x", "2"), series("a", "x", "1"), series("a", "Upper", "1"), series("a")}
	for batch := range 3 {
		rows := &model.Rows{Series: all}
		for _, x := range all {
			for i := range 5 {
				at := noon.Add(time.Duration((i+batch)%5) * time.Millisecond)
				rows.Samples = append(rows.Samples, model.Sample{Fingerprint: x.Fingerprint, Time: at, Value: float64(batch)})
			}
		}
		write(t, s, model.SpoolBatch(uint64(3-batch)), rows, model.FirstTry)
	}
	got, err := s.SelectSeries(t.Context(), nil, noon.Add(time.Millisecond), noon.Add(3*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, x := range got {
		order = append(order, fmt.Sprint(x.Name, x.Labels))
		if len(x.Samples) != 3 || !slices.IsSortedFunc(x.Samples, func(a, b model.Sample) int { return cmp.Compare(a.Time.UnixMilli(), b.Time.UnixMilli()) }) {
			t.Errorf("%s has %v", x.Name, x.Samples)
		}
		for _, sample := range x.Samples {
			if sample.Value != 2 { // of the lowest batch
				t.Errorf("%s: a later batch won: %v", x.Name, sample)
			}
		}
	}
	same(t, "order", order, []string{"a[{Upper 1}]", "a[]", "a[{x 1}]", "a[{x 2}]", "b[]"}, nil)
}

func TestValuesThatAreNotNumbers(t *testing.T) {
	s := storetest.Open(t)
	x := series("m")
	var rows model.Rows
	rows.Series = []model.Series{x}
	for i, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Float64frombits(0x7ff0000000000002)} { // the last marks staleness
		rows.Samples = append(rows.Samples, model.Sample{Fingerprint: x.Fingerprint, Time: noon.Add(time.Duration(i) * time.Second), Value: v})
	}
	write(t, s, model.SpoolBatch(1), &rows, model.FirstTry)
	got, err := s.SelectSeries(t.Context(), nil, noon, noon.Add(time.Minute))
	if err != nil || len(got) != 1 || len(got[0].Samples) != len(rows.Samples) {
		t.Fatalf("got %v, %v", got, err)
	}
	for i, sample := range got[0].Samples {
		if math.Float64bits(sample.Value) != math.Float64bits(rows.Samples[i].Value) {
			t.Errorf("%x came back as %x", math.Float64bits(rows.Samples[i].Value), math.Float64bits(sample.Value))
		}
	}
}

func TestMoreSamplesThanAllowed(t *testing.T) {
	options := storetest.Options(t)
	options.MaxSamples = 3
	s := storetest.OpenWith(t, options)
	x := series("m")
	rows := &model.Rows{Series: []model.Series{x}}
	for i := range 4 {
		rows.Samples = append(rows.Samples, model.Sample{Fingerprint: x.Fingerprint, Time: noon.Add(time.Duration(i) * time.Second)})
	}
	write(t, s, model.SpoolBatch(1), rows, model.FirstTry)
	if _, err := s.SelectSeries(t.Context(), nil, noon, noon.Add(time.Minute)); errs.KindOf(err) != errs.Exhausted {
		t.Errorf("four samples: %v", err)
	}
	if got, err := s.SelectSeries(t.Context(), nil, noon, noon.Add(2*time.Second)); err != nil || len(got[0].Samples) != 3 {
		t.Errorf("three samples: %v, %v", got, err)
	}
}
