package baseline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/baseline"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"

	"github.com/prometheus/prometheus/promql"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	noon  = time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	owner = model.Actor{ID: "ai-risk-owner", Kind: "person"}
)

// world is a registry over the real store and register.
type world struct {
	*baseline.Registry
	t     *testing.T
	store *clickhouse.Store
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: storetest.Open(t), now: noon}
	clock := func() time.Time { return w.now }
	reg, err := register.Open(t.Context(), w.store, w.store, register.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	w.Registry = baseline.New(baseline.Options{Store: w.store, Register: reg, Clock: clock})
	return w
}

// built gives the JSON of a baseline, which is another for each last value.
func built(t *testing.T, last float64) []byte {
	t.Helper()
	b, err := signal.BuildBaseline([]signal.Column{{Name: "income", Target: signal.TargetFeature, Numbers: []float64{1, 2, 3, last}}},
		signal.BuildOptions{Model: signal.ModelRef{Name: "credit"}, Source: "reference.csv"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (w *world) push(system signal.SystemID, ref signal.ModelRef, raw []byte) model.BaselineEntry {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	e, err := w.Push(w.t.Context(), system, ref, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func TestABaselineIsAProposalUntilAPersonDecides(t *testing.T) {
	w := newWorld(t)
	raw := built(t, 9)
	e := w.push("loans", signal.ModelRef{}, raw)
	if e.Digest != signal.Digest(canonical.Sum(raw)) || e.State != model.BaselineProposed || e.Model.Name != "credit" || e.Rows != 4 || e.Features != 1 || e.Source != "reference.csv" {
		t.Errorf("%+v", e)
	}
	w.push("loans", signal.ModelRef{}, raw) // the same again
	other := w.push("loans", signal.ModelRef{Name: "card", Version: "2"}, built(t, 8))

	d, err := w.Decide(t.Context(), e.Digest.Short(), model.BaselineDecision{State: model.BaselineApproved, By: owner, Basis: "report 12"})
	if err != nil || d.System != "loans" || d.Model != "credit" || d.Digest != e.Digest {
		t.Fatalf("%+v, %v", d, err)
	}
	for state, want := range map[string]signal.Digest{model.BaselineApproved: e.Digest, model.BaselineProposed: other.Digest} {
		found, err := w.List(t.Context(), model.BaselineFilter{}, state)
		if err != nil || len(found) != 1 || found[0].Digest != want {
			t.Errorf("%s: %+v, %v", state, found, err)
		}
	}
	all, err := w.List(t.Context(), model.BaselineFilter{System: "loans"}, "")
	if err != nil || len(all) != 2 || all[0].Digest != other.Digest || all[1].Rows != 4 || all[1].Decision.Basis != "report 12" {
		t.Errorf("all: %+v, %v", all, err)
	}
	if found, err := w.List(t.Context(), model.BaselineFilter{Model: "card"}, ""); err != nil || len(found) != 1 {
		t.Errorf("of card: %+v, %v", found, err)
	}
	shown, err := w.Show(t.Context(), string(e.Digest))
	if err != nil || len(shown.Entries) != 1 || len(shown.Decisions) != 1 || shown.Entries[0].State != model.BaselineApproved {
		t.Errorf("%+v, %v", shown, err)
	}
}

func TestADecisionIsAboutWhatIsNamed(t *testing.T) {
	w := newWorld(t)
	raw := built(t, 9)
	digest := string(w.push("loans", signal.ModelRef{}, raw).Digest)
	w.push("cards", signal.ModelRef{}, raw)
	approve := model.BaselineDecision{State: model.BaselineApproved, By: owner, Basis: "report 12"}
	of := func(system signal.SystemID, name string) model.BaselineDecision {
		d := approve
		d.System, d.Model = system, name
		return d
	}
	for name, c := range map[string]struct {
		digest string
		d      model.BaselineDecision
		kind   errs.Kind
	}{
		"which of two":     {digest, approve, errs.Invalid},
		"no such model":    {digest, of("loans", "card"), errs.NotFound},
		"no such digest":   {strings.Repeat("0", 64), of("loans", ""), errs.NotFound},
		"too short":        {digest[:12], of("loans", ""), errs.Invalid},
		"no digest at all": {"' OR 1=1 --", of("loans", ""), errs.Invalid},
	} {
		if _, err := w.Decide(t.Context(), c.digest, c.d); errs.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Decide(t.Context(), digest, of("cards", "")); err != nil {
		t.Fatal(err)
	}
	found, err := w.List(t.Context(), model.BaselineFilter{System: "loans"}, "")
	if err != nil || len(found) != 1 || found[0].State != model.BaselineProposed {
		t.Errorf("what was approved for cards counts for loans: %+v, %v", found, err)
	}
}

func TestWhatIsNoBaselineIsRefused(t *testing.T) {
	w := newWorld(t)
	good := built(t, 9)
	for name, c := range map[string]struct {
		system signal.SystemID
		raw    []byte
		says   string
	}{
		"no system":  {"", good, "system: missing"},
		"no JSON":    {"loans", []byte("{"), "cut off"},
		"tampered":   {"loans", []byte(strings.Replace(string(good), `"rows":4`, `"rows":-4`, 1)), "does not fit"},
		"nothing":    {"loans", nil, "empty"},
		"a long one": {signal.SystemID(strings.Repeat("x", 2000)), good, "1024 bytes"},
	} {
		if _, err := w.Push(t.Context(), c.system, signal.ModelRef{}, c.raw); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// gauge reads the value of a metric as a rule does; nil for none.
func (w *world) gauge(expr string, at time.Time) *float64 {
	w.t.Helper()
	v, err := query.New(w.store, query.Options{}).Instant(w.t.Context(), expr, at, time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	switch found := v.(promql.Vector); len(found) {
	case 0:
		return nil
	case 1:
		return &found[0].F
	default:
		w.t.Fatalf("%s: %+v", expr, found)
		return nil
	}
}

// TestTheAgeIsThatOfWhatIsInUse writes the gauges as windows, baselines and
// decisions come.
func TestTheAgeIsThatOfWhatIsInUse(t *testing.T) {
	w := newWorld(t)
	old, fresh := w.push("loans", signal.ModelRef{}, built(t, 9)).Digest, w.push("loans", signal.ModelRef{}, built(t, 8)).Digest
	window := func(sequence uint64, end time.Time, digest signal.Digest) {
		t.Helper()
		rows := &model.Rows{Distributions: []*signal.Distribution{{
			System: "loans", Model: signal.ModelRef{Name: "credit", Version: "7"}, Window: signal.WindowID{Instance: "a", Sequence: sequence},
			Start: end.Add(-time.Minute), End: end, Parts: 1, Baseline: digest, Target: signal.TargetFeature, Feature: "income", Kind: signal.Numeric,
		}}}
		if err := w.store.Write(t.Context(), model.SpoolBatch(sequence), rows, model.FirstTry); err != nil {
			t.Fatal(err)
		}
	}
	at := noon.Add(time.Hour)
	write := func() {
		t.Helper()
		if err := w.Write(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(name string, approved, age *float64) {
		t.Helper()
		for expr, want := range map[string]*float64{`evenkeel_baseline_approved{evenkeel_system_id="loans"}`: approved, "evenkeel_baseline_age": age} {
			got := w.gauge(expr, at)
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s: %s is %v, want %v", name, expr, got, want)
			}
		}
	}
	value := func(v float64) *float64 { return &v }
	write()
	expect("no windows", nil, nil)
	window(1, noon.Add(30*time.Minute), old)
	at = at.Add(time.Minute)
	write()
	write() // once more, as after a crash
	expect("nobody decided", value(0), nil)
	w.now = noon.Add(2 * time.Hour)
	approve := model.BaselineDecision{State: model.BaselineApproved, By: owner, Basis: "report"}
	if _, err := w.Decide(t.Context(), string(old), approve); err != nil {
		t.Fatal(err)
	}
	at = noon.Add(3 * time.Hour)
	write()
	expect("approved an hour ago", value(1), value(3600))
	window(2, noon.Add(190*time.Minute), fresh)
	at = noon.Add(4 * time.Hour)
	write()
	expect("another one is used", value(0), nil)
	at = noon.Add(8 * 24 * time.Hour)
	write()
	expect("the model is gone", nil, nil)
}

// TestRunEndsWithItsContext runs the loop over a store that has gone.
func TestRunEndsWithItsContext(t *testing.T) {
	w := newWorld(t)
	r := baseline.New(baseline.Options{Store: w.store, Every: time.Millisecond})
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	cancel(errors.New("enough"))
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
