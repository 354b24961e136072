package query_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// put stores series, each with one sample for every offset from noon; the value
// is the offset in seconds.
func put(t testing.TB, w model.Writer, names []string, offsets ...time.Duration) {
	t.Helper()
	rows := &model.Rows{}
	for _, text := range names {
		s := parseSeries(text)
		rows.Series = append(rows.Series, s)
		for _, o := range offsets {
			rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: noon.Add(o), Value: o.Seconds()})
		}
	}
	if err := w.Write(context.Background(), model.DerivedBatch(model.Fingerprint(fmt.Sprint(names, offsets), nil)), rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
}

// parseSeries reads "name a=1 b=2".
func parseSeries(text string) model.Series {
	fields := strings.Fields(text)
	s := model.Series{Name: fields[0], Kind: model.Gauge, SeenAt: noon}
	for _, f := range fields[1:] {
		name, value, _ := strings.Cut(f, "=")
		s.Labels = append(s.Labels, model.Label{Name: name, Value: value})
	}
	s.Labels = model.SortLabels(s.Labels)
	s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
	return s
}

func TestInstantTakesOnlyWhatIsYoungerThanTheLookback(t *testing.T) {
	store := storetest.Open(t)
	put(t, store, []string{"score f=age", "score f=income"}, -10*time.Second, 0)
	put(t, store, []string{"score f=old"}, -10*time.Second)
	engine := query.New(store, query.Options{})
	for _, c := range []struct {
		expr     string
		lookback time.Duration
		want     string
	}{
		{"score", 10 * time.Second, `{__name__="score", f="age"} => 0 @[1772366400000]
{__name__="score", f="income"} => 0 @[1772366400000]`}, // a sample as old as the lookback is of the window before
		{"count(score)", 11 * time.Second, "{} => 3 @[1772366400000]"},
		{"count(score)", 0, "{} => 3 @[1772366400000]"},
		{"sum_over_time(score{f=\"age\"}[1m])", time.Second, `{f="age"} => -10 @[1772366400000]`},
		{"score offset 10s", time.Second, `{__name__="score", f="age"} => -10 @[1772366400000]
{__name__="score", f="income"} => -10 @[1772366400000]
{__name__="score", f="old"} => -10 @[1772366400000]`},
		{"absent(nothing)", time.Second, "{} => 1 @[1772366400000]"},
	} {
		got, err := engine.Instant(context.Background(), c.expr, noon, c.lookback)
		if err != nil {
			t.Fatalf("%s: %v", c.expr, err)
		}
		v, ok := got.(promql.Vector)
		if !ok {
			t.Fatalf("%s is a %T", c.expr, got)
		}
		slices.SortFunc(v, func(a, b promql.Sample) int { return labels.Compare(a.Metric, b.Metric) })
		if v.String() != c.want {
			t.Errorf("%s with lookback %s:\n%s\nwant\n%s", c.expr, c.lookback, v, c.want)
		}
	}
}

func TestRange(t *testing.T) {
	store := storetest.Open(t)
	put(t, store, []string{"load host=a"}, 0, 10*time.Second, 20*time.Second, 40*time.Second)
	got, err := query.New(store, query.Options{Lookback: 10 * time.Second}).Range(
		context.Background(), `load{host="a"} * 2`, noon, noon.Add(40*time.Second), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := `{host="a"} =>
0 @[1772366400000]
20 @[1772366410000]
40 @[1772366420000]
80 @[1772366440000]`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFailuresHaveKinds(t *testing.T) {
	store := storetest.Open(t)
	put(t, store, []string{"a x=1", "a x=2", "b x=1 y=1", "b x=1 y=2"}, 0)
	expired, cancel := context.WithDeadline(context.Background(), time.Unix(1, 0))
	defer cancel()
	for _, c := range []struct {
		ctx    context.Context
		expr   string
		engine *query.Engine
		want   errs.Kind
	}{
		{context.Background(), "a{", query.New(store, query.Options{}), errs.Invalid},
		{context.Background(), "a * on(x) b", query.New(store, query.Options{}), errs.Other},
		{context.Background(), "a", query.New(store, query.Options{MaxSamples: 1}), errs.Exhausted},
		{expired, "a", query.New(store, query.Options{}), errs.Unavailable},
	} {
		_, err := c.engine.Instant(c.ctx, c.expr, noon, 0)
		if err == nil || errs.KindOf(err) != c.want {
			t.Errorf("%s: %v has kind %d, want %d", c.expr, err, errs.KindOf(err), c.want)
		}
	}
	if _, err := query.New(store, query.Options{}).Range(context.Background(), "a", noon, noon.Add(-1), time.Second); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a range that ends before it starts: %v", err)
	}
}

func TestSeriesAndLabels(t *testing.T) {
	store := storetest.Open(t)
	put(t, store, []string{"up job=a", "up job=b zone=1", "down job=c"}, 0)
	engine := query.New(store, query.Options{})
	ctx, from, to := context.Background(), noon.Add(-time.Hour), noon.Add(time.Hour)
	found, err := engine.Series(ctx, []string{`up{zone=""}`, `{job=~"a|c"}`}, from, to)
	if err != nil || fmt.Sprint(found) != `[{__name__="down", job="c"} {__name__="up", job="a"}]` {
		t.Errorf("series: %v, %v", found, err)
	}
	names, err := engine.LabelNames(ctx, []string{"up"}, from, to)
	if err != nil || fmt.Sprint(names) != "[__name__ job zone]" {
		t.Errorf("names: %v, %v", names, err)
	}
	values, err := engine.LabelValues(ctx, "job", nil, from, to)
	if err != nil || fmt.Sprint(values) != "[a b c]" {
		t.Errorf("values: %v, %v", values, err)
	}
	metrics, err := engine.LabelValues(ctx, "__name__", nil, from, to)
	if err != nil || fmt.Sprint(metrics) != "[down up]" {
		t.Errorf("metrics: %v, %v", metrics, err)
	}
	if _, err := engine.Series(ctx, nil, from, to); errs.KindOf(err) != errs.Invalid {
		t.Errorf("no selector: %v", err)
	}
}

// Matchers mean in the store what they mean to Prometheus: Prometheus' own
// matchers, run over the same label sets in memory, are the reference.
func TestMatchersMeanWhatTheyMeanToPrometheus(t *testing.T) {
	store := storetest.Open(t)
	names := []string{
		"m", "m a=x", "m a=y", "m a=xy", "m a=x b=1", "m b=1", "m b=2", "m a=X", "m a=x.y", "m a=xzy", "m a=é", `m a=\d`, "n a=x",
	}
	put(t, store, names, 0)
	engine := query.New(store, query.Options{})
	rapid.Check(t, func(t *rapid.T) {
		matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, prommodel.MetricNameLabel, "m|n")}
		for range rapid.IntRange(1, 3).Draw(t, "matchers") {
			matchers = append(matchers, labels.MustNewMatcher(
				rapid.SampledFrom([]labels.MatchType{labels.MatchEqual, labels.MatchNotEqual, labels.MatchRegexp, labels.MatchNotRegexp}).Draw(t, "type"),
				rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "label"),
				rapid.SampledFrom([]string{"", "x", "y", "x|y", "x.y", ".*", ".+", "x.*", "(?i)x", "[xy]+", "1", "1|", "é", `\\d`, "^x$", "x?"}).Draw(t, "value")))
		}
		var want []string
		for _, text := range names {
			if s := parseSeries(text); matches(&s, matchers) {
				want = append(want, fingerprints(text))
			}
		}
		parts := make([]string, len(matchers))
		for i, m := range matchers {
			parts[i] = m.String()
		}
		expr := "{" + strings.Join(parts, ",") + "}"
		value, err := engine.Instant(context.Background(), expr, noon, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range value.(promql.Vector) {
			got = append(got, s.Metric.String())
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s finds %v, Prometheus %v", expr, got, want)
		}
	})
}

func matches(s *model.Series, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		value := ""
		if m.Name == prommodel.MetricNameLabel {
			value = s.Name
		}
		for _, l := range s.Labels {
			if l.Name == m.Name {
				value = l.Value
			}
		}
		if !m.Matches(value) {
			return false
		}
	}
	return true
}

func fingerprints(text string) string {
	s := parseSeries(text)
	b := labels.NewScratchBuilder(4)
	b.Add(prommodel.MetricNameLabel, s.Name)
	for _, l := range s.Labels {
		b.Add(l.Name, l.Value)
	}
	b.Sort()
	return b.Labels().String()
}

func BenchmarkInstant(b *testing.B) {
	store := storetest.Open(b)
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("score f=f%d system=s", i))
	}
	put(b, store, names, 0)
	engine := query.New(store, query.Options{})
	for b.Loop() {
		v, err := engine.Instant(context.Background(), `score{system="s"}`, noon, time.Minute)
		if err != nil || len(v.(promql.Vector)) != 100 {
			b.Fatal(v, err)
		}
	}
}
