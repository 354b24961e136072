package compare_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/compare"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	loans = signal.ModelRef{Name: "loan", Version: "1"}
)

const length = 10 * time.Minute

// baseline has one number and one category. Its grid is as given.
func baseline(grid []float64, categories ...string) *signal.Baseline {
	counts := make([]uint64, len(grid)+1)
	for i := range counts {
		counts[i] = 100
	}
	deciles := make([]int, len(grid))
	for i := range deciles {
		deciles[i] = i
	}
	each := make([]uint64, len(categories))
	for i := range each {
		each[i] = 10
	}
	return &signal.Baseline{Format: signal.BaselineFormat, Model: loans, Rows: 100 * uint64(len(counts)), Features: []signal.FeatureBaseline{
		{Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: grid, Deciles: deciles, Counts: counts, N: 100 * uint64(len(counts))},
		{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: categories, Counts: each, N: 10 * uint64(len(each))},
	}}
}

// service is agents that count, and the store that they sent it to.
type service struct {
	t        testing.TB
	store    *clickhouse.Store
	model    string
	sequence uint64
	batch    uint64
}

func newService(t testing.TB) *service {
	return &service{t: t, store: storetest.Open(t), model: "loan"}
}

func (s *service) write(rows *model.Rows) {
	s.t.Helper()
	s.batch++
	if err := s.store.Write(s.t.Context(), model.SpoolBatch(s.batch), rows, model.FirstTry); err != nil {
		s.t.Fatal(err)
	}
}

func (s *service) declare(b *signal.Baseline) signal.Digest {
	s.t.Helper()
	raw, err := json.Marshal(b)
	if err != nil {
		s.t.Fatal(err)
	}
	digest, err := canonical.Digest(b)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(&model.Rows{Baselines: []model.Baseline{{Digest: signal.Digest(digest), System: "bank", Model: loans, SeenAt: noon, Content: string(raw)}}})
	return signal.Digest(digest)
}

// window is what one replica counted of one column in the window that ended so
// long after noon.
func (s *service) window(b *signal.Baseline, digest signal.Digest, name signal.FeatureName, after time.Duration, values []float64, words ...string) *signal.Distribution {
	s.t.Helper()
	target := signal.TargetFeature
	if len(words) > 0 {
		target = signal.TargetPrediction
	}
	f := b.Feature(target, name)
	bounds, err := f.Bounds()
	if err != nil {
		s.t.Fatal(err)
	}
	s.sequence++
	d := &signal.Distribution{
		System: "bank", Model: signal.ModelRef{Name: s.model, Version: "1"}, Window: signal.WindowID{Instance: signal.InstanceID(fmt.Sprint("pod-", s.sequence%3)), Sequence: s.sequence},
		Start: noon.Add(after - length), End: noon.Add(after), Parts: 1, Baseline: digest, Bounds: bounds, Target: target, Feature: name, Kind: f.Kind,
		Rate: 1, Counts: make([]uint64, len(f.Counts)),
	}
	for _, v := range values {
		i := 0
		for i < len(f.Grid) && v > f.Grid[i] {
			i++
		}
		d.Counts[i]++
		d.N++
		d.Sum += v
		d.SumSquares += v * v
		if d.N == 1 || v < d.Min {
			d.Min = v
		}
		if d.N == 1 || v > d.Max {
			d.Max = v
		}
	}
	for _, w := range words {
		d.N++
		at := -1
		for i, c := range f.Categories {
			if c == w {
				at = i
			}
		}
		if at < 0 {
			d.New++
			continue
		}
		d.Counts[at]++
	}
	return d
}

func (s *service) count(parts ...*signal.Distribution) {
	s.t.Helper()
	s.write(&model.Rows{Distributions: parts})
}

// ask compares the hour after noon with the hour before.
func (s *service) ask(change func(*compare.Question)) (*compare.Result, error) {
	q := compare.Question{
		Model: s.model, Current: compare.Range{From: noon, To: noon.Add(time.Hour)}, Against: compare.Range{From: noon.Add(-time.Hour), To: noon},
	}
	if change != nil {
		change(&q)
	}
	return compare.Compare(s.t.Context(), s.store, q)
}

func numbers(seed uint64, n int, mean float64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + random.NormFloat64()
	}
	return out
}

// What the comparison says is what the same rows give when they are counted as
// one window and held against the other hour as a baseline.
func TestComparisonIsThatOfTheRowsThemselves(t *testing.T) {
	s := newService(t)
	b := baseline([]float64{-1, 0, 1, 2}, "yes", "no")
	digest := s.declare(b)
	var before, now []float64
	for i := range 6 {
		old, fresh := numbers(uint64(i), 300, 0), numbers(uint64(i)+100, 200, 0.7)
		before, now = append(before, old...), append(now, fresh...)
		s.count(s.window(b, digest, "income", -length*time.Duration(i), old), s.window(b, digest, "income", length*time.Duration(i+1), fresh))
	}
	got, err := s.ask(func(q *compare.Question) { q.Feature = "income" })
	if err != nil {
		t.Fatal(err)
	}
	whole, current := s.window(b, digest, "income", 0, before), s.window(b, digest, "income", 0, now)
	f := *b.Feature(signal.TargetFeature, "income")
	f.Counts, f.N, f.Sum, f.SumSquares, f.Min, f.Max = whole.Counts, whole.N, whole.Sum, whole.SumSquares, whole.Min, whole.Max
	want, err := f.Drift(current)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Columns[0]
	if len(got.Columns) != 1 || c.Current.Rows != 1200 || c.Against.Rows != 1800 || c.Current.Windows != 6 || c.Current.Instances != 3 || len(c.Scores) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, score := range c.Scores {
		w := want[i]
		if score.Method != w.Method || score.Samples != w.Estimate.Samples || score.Convention != w.Estimate.Convention || !close(score.Value, w.Estimate.Value) {
			t.Errorf("%+v, want %+v", score, w)
		}
		if (score.Lower == nil) != (w.Estimate.Lower == nil) || score.Lower != nil && !close(*score.Lower, *w.Estimate.Lower) {
			t.Errorf("%s: the interval differs", score.Method)
		}
	}
	if text, err := f.Explain(current); err != nil || text != c.Explanation {
		t.Errorf("%s\nwant %s, %v", c.Explanation, text, err)
	}
}

func close(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }

func TestAllColumnsAreComparedTogether(t *testing.T) {
	s := newService(t)
	b := baseline([]float64{0}, "yes", "no")
	digest := s.declare(b)
	s.count(
		s.window(b, digest, "income", -length, numbers(1, 500, 0)), s.window(b, digest, "income", length, numbers(2, 500, 0)),
		s.window(b, digest, "approved", -length, nil, strings.Fields(strings.Repeat("yes no maybe ", 100))...),
		s.window(b, digest, "approved", length, nil, strings.Fields(strings.Repeat("yes yes no ", 100))...),
	)
	got, err := s.ask(nil)
	if err != nil || len(got.Columns) != 2 || got.Columns[0].Feature != "income" || got.Columns[1].Feature != "approved" {
		t.Fatalf("%+v, %v", got, err)
	}
	want := `approved: "yes" rose from 33.3% to 66.7% of rows, "(not in the baseline)" fell from 33.3% to 0%.`
	if c := got.Columns[1]; c.Explanation != want || c.Kind != signal.Categorical {
		t.Errorf("%s, want %s", c.Explanation, want)
	}
	for _, c := range got.Columns {
		for _, score := range c.Scores {
			if (score.P == nil) != (score.PAdjusted == nil) || score.P != nil && *score.PAdjusted < *score.P {
				t.Errorf("%s %s: p %v, adjusted %v", c.Feature, score.Method, score.P, score.PAdjusted)
			}
		}
	}
}

// A side that was counted in finer cells is folded, and then says what it would
// have said in the coarser ones.
func TestFinerCellsAreFoldedExactly(t *testing.T) {
	s, round := newService(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		s.model = fmt.Sprint("loan-", round) // one store for all of them
		fine, coarse := []float64{-2, -1, 0, 0.5, 1, 2}, []float64{-1, 0.5}
		values := rapid.SliceOfN(rapid.Float64Range(-4, 4), 50, 100)
		before, now := values.Draw(rt, "before"), values.Draw(rt, "now")
		old, fresh := baseline(coarse, "x"), baseline(fine, "x")
		oldDigest, freshDigest := s.declare(old), s.declare(fresh)
		s.count(s.window(old, oldDigest, "income", -length, before), s.window(fresh, freshDigest, "income", length, now))
		folded, err := s.ask(nil)
		if err != nil {
			rt.Fatal(err)
		}
		s.count(s.window(old, oldDigest, "income", -4*time.Hour, before), s.window(old, oldDigest, "income", -3*time.Hour, now))
		direct, err := s.ask(func(q *compare.Question) {
			q.Against = compare.Range{From: noon.Add(-4*time.Hour - 1), To: noon.Add(-4 * time.Hour)}
			q.Current = compare.Range{From: noon.Add(-3*time.Hour - 1), To: noon.Add(-3 * time.Hour)}
		})
		if err != nil {
			rt.Fatal(err)
		}
		a, b := folded.Columns[0], direct.Columns[0]
		if !a.Rebinned || b.Rebinned || a.Explanation != b.Explanation || len(a.Scores) != len(b.Scores) {
			rt.Fatalf("%+v\n%+v", a, b)
		}
		for i := range a.Scores {
			if !close(a.Scores[i].Value, b.Scores[i].Value) {
				rt.Fatalf("%+v, %+v", a.Scores[i], b.Scores[i])
			}
		}
	})
}

func TestWhatCannotBeComparedSaysWhy(t *testing.T) {
	s := newService(t)
	a, b := baseline([]float64{0, 1}, "yes"), baseline([]float64{0.3, 0.7}, "yes")
	first, second := s.declare(a), s.declare(b)
	s.count(s.window(a, first, "income", -length, numbers(1, 50, 0)), s.window(b, second, "income", length, numbers(2, 50, 0)))
	other := s.window(a, first, "income", length, numbers(1, 50, 0))
	other.System, other.Model.Name = "shop", "twin"
	twin := s.window(a, first, "income", length, numbers(1, 50, 0))
	twin.Model.Name = "twin"
	bare := s.window(a, "", "income", length, numbers(1, 50, 0))
	bare.Model.Name = "bare"
	earlier := s.window(a, "", "income", -length, numbers(1, 50, 0))
	earlier.Model.Name = "bare"
	past := s.window(a, first, "income", -length, numbers(1, 50, 0))
	past.Model.Name = "twin"
	s.count(other, twin, bare, earlier, past)
	for text, c := range map[string]struct {
		kind   errs.Kind
		change func(*compare.Question)
	}{
		"cells that mean different things":                              {errs.Conflict, func(q *compare.Question) { q.Feature = "income" }},
		"is of several systems: bank, shop":                             {errs.Invalid, func(q *compare.Question) { q.Model = "twin" }},
		"without a baseline":                                            {errs.Conflict, func(q *compare.Question) { q.Model, q.Feature = "bare", "income" }},
		"nothing was counted of model \"nobody\" in the time asked for": {errs.NotFound, func(q *compare.Question) { q.Model = "nobody" }},
		"in the time to hold it against": {errs.NotFound, func(q *compare.Question) {
			q.Against = compare.Range{From: noon.Add(-9 * time.Hour), To: noon.Add(-8 * time.Hour)}
		}},
		"a range ends before it begins": {errs.Invalid, func(q *compare.Question) { q.Current.To = q.Current.From }},
		"no model":                      {errs.Invalid, func(q *compare.Question) { q.Model = "" }},
	} {
		_, err := s.ask(c.change)
		if errs.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), text) {
			t.Errorf("%v, want %s", err, text)
		}
	}
	all, err := s.ask(nil)
	if err != nil || len(all.Columns) != 0 || len(all.Skipped) != 1 || !strings.Contains(all.Skipped[0].Reason, "mean different things") {
		t.Errorf("%+v, %v", all, err)
	}
}

// A window that a sender delivered in two batches counts once, and rows that
// were kept at a tenth weigh ten times.
func TestWindowsThatCameTwiceAndRates(t *testing.T) {
	s := newService(t)
	b := baseline([]float64{0}, "x")
	digest := s.declare(b)
	low := s.window(b, digest, "income", length, []float64{-1, -1, -1, -1})
	s.count(s.window(b, digest, "income", -length, []float64{-1, 1}), low)
	s.count(low)
	high := s.window(b, digest, "income", length, []float64{1, 1, 1, 1})
	high.Rate = 0.1
	s.count(high)
	got, err := s.ask(nil)
	if err != nil || got.Columns[0].Current.Windows != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	blended, err := signal.Blend([]*signal.Distribution{high, low})
	if err != nil || got.Columns[0].Current.Rows != blended.N {
		t.Errorf("%d rows, want %d effective ones", got.Columns[0].Current.Rows, blended.N)
	}
}
