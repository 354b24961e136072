package deployments_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeel/evenkeel/collector/deployments"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	noon  = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	owner = model.Actor{ID: "ai-risk-owner", Kind: "person"}
)

// world is a registry over the real store and register.
type world struct {
	*deployments.Registry
	t     *testing.T
	store *clickhouse.Store
	now   time.Time
	batch uint64
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, store: storetest.Open(t), now: noon}
	w.restart()
	return w
}

// restart reads all that was decided from the store again.
func (w *world) restart() {
	w.t.Helper()
	clock := func() time.Time { return w.now }
	reg, err := register.Open(w.t.Context(), w.store, w.store, register.Options{Clock: clock})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Registry = deployments.New(deployments.Options{Store: w.store, Register: reg, Clock: clock})
}

// serve stores a window of ten requests; its two events say the same.
func (w *world) serve(name, version string, end time.Time, parts ...signal.LineageCount) {
	w.t.Helper()
	w.batch++
	rows := &model.Rows{}
	for _, feature := range []signal.FeatureName{"income", "age"} {
		rows.Distributions = append(rows.Distributions, &signal.Distribution{
			System: "bank", Model: signal.ModelRef{Name: name, Version: version}, Window: signal.WindowID{Instance: "a", Sequence: w.batch},
			Start: end.Add(-time.Minute), End: end, Parts: 2, Target: signal.TargetFeature, Feature: feature, Kind: signal.Numeric,
			Capture: signal.Capture{Seen: 10, Profiled: 10}, Lineage: parts,
		})
	}
	if err := w.store.Write(w.t.Context(), model.SpoolBatch(w.batch), rows, model.FirstTry); err != nil {
		w.t.Fatal(err)
	}
}

// change stores the event that an agent tells a change with.
func (w *world) change(of, now string, at time.Time) {
	w.t.Helper()
	w.batch++
	rows := &model.Rows{Logs: []model.Log{{
		Time: at, ObservedTime: at, EventName: signal.EventModelChanged, ResourceAttributes: map[string]string{signal.KeySystemID: "bank"},
		LogAttributes: map[string]string{signal.KeyModelName: "loans", signal.KeyChangeOf: of, signal.KeyChangeNew: now},
	}}}
	if err := w.store.Write(w.t.Context(), model.SpoolBatch(w.batch), rows, model.FirstTry); err != nil {
		w.t.Fatal(err)
	}
}

// gauges writes the gauges at a time and reads what the rules would.
func (w *world) gauges(at time.Time) map[string]float64 {
	w.t.Helper()
	if err := w.Write(w.t.Context(), at); err != nil {
		w.t.Fatal(err)
	}
	out := map[string]float64{}
	for _, expr := range []string{
		"sum by (evenkeel_model_name, evenkeel_lineage_part) (evenkeel_lineage_unapproved)", "sum by (evenkeel_change_of) (evenkeel_change_unapproved)",
	} {
		v, err := query.New(w.store, query.Options{}).Instant(w.t.Context(), expr, at, time.Minute)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, s := range v.(promql.Vector) {
			out[strings.TrimSpace(fmt.Sprint(s.Metric.Get("evenkeel_model_name"), " ", s.Metric.Get("evenkeel_lineage_part"), s.Metric.Get("evenkeel_change_of")))] = s.F
		}
	}
	return out
}

func (w *world) approve(version string, digests map[string]string) model.Deployment {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	d, err := w.Approve(w.t.Context(), model.Deployment{System: "bank", Model: "loans", Version: version, Digests: digests, By: owner, Basis: "change 118"})
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// What is in service is held against what is approved, part by part, wherever the
// model stands; a restart changes nothing.
func TestWhatNobodyApprovedIsCounted(t *testing.T) {
	w := newWorld(t)
	of := func(part signal.LineagePart, value string, n uint64) signal.LineageCount {
		return signal.LineageCount{Part: part, Value: value, Requests: n}
	}
	w.serve("loans", "2", noon, of(signal.PartModel, "sha256:good", 7), of(signal.PartModel, "sha256:bad", 3), of(signal.PartPrompt, "sha256:p", 10), of(signal.PartRun, "run-1", 10))
	w.serve("loans;route=batch", "2", noon, of(signal.PartModel, "sha256:good", 10))
	w.serve("loans", "2", noon.Add(-time.Hour), of(signal.PartModel, "sha256:old", 10)) // not in service any more
	w.change("model", "sha256:bad", noon.Add(-time.Minute))
	w.change("model", "sha256:good", noon.Add(-2*time.Minute))
	w.change("prompt", "", noon.Add(-2*time.Minute)) // there is none any more
	want := map[string]float64{
		"loans model": 10, "loans prompt": 10, "loans version": 10, "loans;route=batch model": 10, "loans;route=batch version": 10, "model": 2, "prompt": 0,
	}
	if got := w.gauges(noon); !maps.Equal(got, want) {
		t.Errorf("before any approval: %v, want %v", got, want)
	}
	good := w.approve("2", map[string]string{"model": "sha256:good", "prompt": "sha256:p"})
	want = map[string]float64{
		"loans model": 3, "loans prompt": 0, "loans version": 0, "loans;route=batch model": 0, "loans;route=batch version": 0, "model": 1, "prompt": 0,
	}
	if got := w.gauges(noon.Add(time.Minute)); !maps.Equal(got, want) {
		t.Errorf("one approved: %v, want %v", got, want)
	}
	w.approve("", map[string]string{"model": "sha256:bad"})
	w.restart()
	want["loans model"], want["model"] = 0, 0
	if got := w.gauges(noon.Add(2 * time.Minute)); !maps.Equal(got, want) {
		t.Errorf("both approved, after a restart: %v, want %v", got, want)
	}
	if _, err := w.Withdraw(t.Context(), good.ID, owner, "incident 31"); err != nil {
		t.Fatal(err)
	}
	got := w.gauges(noon.Add(3 * time.Minute))
	if got["loans model"] != 7 || got["loans prompt"] != 10 || got["model"] != 1 {
		t.Errorf("one withdrawn: %v", got)
	}
	if got := w.gauges(noon.Add(20 * time.Minute)); got["loans model"] != 0 || len(got) != 2 {
		t.Errorf("no traffic: %v", got)
	}
}

// Who decides what, when and on what basis is kept for good.
func TestDecisionsAreKept(t *testing.T) {
	w := newWorld(t)
	first := w.approve("2", map[string]string{"model": "sha256:a"})
	again := w.approve("2", map[string]string{"model": "sha256:a"})
	if first.ID != again.ID || !again.At.After(first.At) {
		t.Errorf("the same approval twice: %+v, %+v", first, again)
	}
	w.now = w.now.Add(time.Hour)
	if _, err := w.Withdraw(t.Context(), first.ID, model.Actor{ID: "auditor", Kind: "person"}, "finding 4"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Withdraw(t.Context(), first.ID, owner, "once more"); errs.KindOf(err) != errs.Conflict {
		t.Errorf("withdrawn twice: %v", err)
	}
	w.restart()
	list := w.List(model.DeploymentFilter{System: "bank", Model: "loans"})
	if len(list) != 1 || list[0].State != model.DeploymentWithdrawn || list[0].By.ID != "auditor" || list[0].Basis != "finding 4" || len(list[0].Decisions) != 3 {
		t.Errorf("after a restart: %+v", list)
	}
	if list := w.List(model.DeploymentFilter{State: model.DeploymentApproved}); len(list) != 0 {
		t.Errorf("approved: %+v", list)
	}
	for _, c := range []struct {
		d    model.Deployment
		want errs.Kind
	}{
		{model.Deployment{System: "bank", Model: "loans", By: owner, Basis: "b"}, errs.Invalid}, // names nothing
		{model.Deployment{System: "bank", Version: "1", By: owner, Basis: "b"}, errs.Invalid},
		{model.Deployment{System: "bank", Model: "loans", Version: "1", By: owner, Basis: "  "}, errs.Invalid},
		{model.Deployment{System: "bank", Model: "loans", Version: "1", By: model.Actor{ID: "job", Kind: "service"}, Basis: "b"}, errs.Invalid},
		{model.Deployment{System: "bank", Model: "loans", Digests: map[string]string{"weights": "x"}, By: owner, Basis: "b"}, errs.Invalid},
		{model.Deployment{System: "bank", Model: "loans", Digests: map[string]string{"model": ""}, By: owner, Basis: "b"}, errs.Invalid},
		{model.Deployment{System: "bank", Model: strings.Repeat("x", 2000), Version: "1", By: owner, Basis: "b"}, errs.Invalid},
	} {
		if _, err := w.Approve(t.Context(), c.d); errs.KindOf(err) != c.want {
			t.Errorf("%+v: %v, want kind %v", c.d, err, c.want)
		}
	}
	if _, err := w.Withdraw(t.Context(), "nothing", owner, "b"); errs.KindOf(err) != errs.NotFound {
		t.Errorf("an id that is none: %v", err)
	}
}
