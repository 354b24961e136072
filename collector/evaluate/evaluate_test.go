package evaluate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// story is one hour of a bank: even, tilted, shifted twice, silent, too few,
// even again. between is done after each slot.
func story(t *testing.T, between func(w *world)) *world {
	w := newWorld(t, "iso42001-drift")
	w.systems = []signal.SystemID{"bank"}
	w.restart()
	w.at(0)
	for n, income := range []cells{even, tilted, shifted, shifted, nothing, {10, 10, 10, 10}, even} {
		w.slot(n+1, income, 50, 50)
		between(w)
	}
	return w
}

var wantStory = map[string][]string{
	"income": {"pass ok 1", "warn ok 2", "fail pending 1", "fail firing 2", "no_data pending 1", "no_data pending 2", "pass ok 1"},
	"age":    {"pass ok 1", "pass ok 2", "pass ok 3", "pass ok 4", "pass ok 5", "pass ok 6", "pass ok 7"},
}

func TestFromDistributionsToVerdicts(t *testing.T) {
	w := story(t, func(*world) {})
	got := map[string][]string{}
	for _, line := range w.stored("DRF-01") {
		fields := strings.SplitN(line, " ", 3)
		got[fields[1]] = append(got[fields[1]], fields[2])
	}
	for name, want := range wantStory {
		if !slices.Equal(got[name], want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got[name], want)
		}
	}
	if len(got) != 2 || len(w.consumed) != 14 {
		t.Errorf("subjects %v, %d consumed", got, len(w.consumed))
	}
	failed := w.consumed[slices.IndexFunc(w.consumed, func(ev model.Evaluation) bool { return ev.State == model.StateFiring })]
	if !strings.HasPrefix(failed.Reason, "PSI of income is 1.04") || !strings.HasSuffix(failed.Reason, `, above 0.25, in 2 windows in a row; "above 3" rose from 25% to 60% of rows, "up to 1" fell from 25% to 2.5%, "above 1, up to 2" fell from 25% to 7.5%`) {
		t.Errorf("reason: %s", failed.Reason)
	}
	if fmt.Sprint(failed.WindowIDs) != "[a/4 b/4]" || failed.Samples != 400 || failed.FailLimit != "> 0.25" || failed.WarnLimit != "> 0.1" ||
		failed.RuleVersion != 1 || failed.QueryDigest == "" || !failed.WindowStart.Equal(noon.Add(3*length)) || !failed.EvaluatedAt.Equal(noon.Add(46*time.Second)) {
		t.Errorf("evaluation: %+v", failed)
	}
	want := map[string]string{"evenkeel_system_id": "bank", "evenkeel_model_name": "loans", "evenkeel_model_version": "1", "evenkeel_feature_name": "income"}
	if fmt.Sprint(failed.Subject) != fmt.Sprint(want) {
		t.Errorf("subject: %v", failed.Subject)
	}
}

// A restart after every slot gives the same evaluations under the same ids.
func TestRestartsChangeNothing(t *testing.T) {
	ids := func(w *world) []string {
		var out []string
		for _, ev := range w.store.evaluations(t, "") {
			out = append(out, ev.ID+" "+string(ev.Verdict)+" "+string(ev.State)+" "+fmt.Sprint(ev.Streak)+" "+ev.Reason)
		}
		slices.Sort(out)
		return out
	}
	straight := ids(story(t, func(*world) {}))
	broken := ids(story(t, func(w *world) {
		w.restart()
		w.at(w.now.Sub(noon))
	}))
	if !slices.Equal(straight, broken) {
		t.Errorf("with restarts\n%s\nwithout\n%s", strings.Join(broken, "\n"), strings.Join(straight, "\n"))
	}
}

// A crash after a window was sealed and before it was evaluated, and one after
// evaluations were stored and before the register saw them, lose nothing.
func TestWhatACrashLeftIsDoneAfterwards(t *testing.T) {
	w := newWorld(t, "iso42001-drift")
	w.at(0)
	w.window("a", 1, shifted, 50, 50)
	w.now = noon.Add(16 * time.Second)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	w.evaluator.Sealed(gone, model.FleetWindow{System: "bank", Model: loans, Length: length, Start: noon, End: noon.Add(length)})
	if got := w.stored("DRF-01"); len(got) != 0 || len(w.consumed) != 0 {
		t.Fatalf("after the crash: %v", got)
	}
	w.at(16 * time.Second)
	want := []string{"@10s age pass ok 1", "@10s income fail pending 1"}
	if got := w.stored("DRF-01"); !slices.Equal(sorted(got), want) {
		t.Errorf("got %q", got)
	}
	if len(w.consumed) != 2 {
		t.Errorf("%d consumed", len(w.consumed))
	}
	w.consumed = nil
	w.restart()
	w.at(17 * time.Second)
	if len(w.consumed) != 2 || w.consumed[0].Value == nil {
		t.Errorf("the register is shown %+v", w.consumed)
	}
	if got := w.stored("DRF-01"); !slices.Equal(sorted(got), want) {
		t.Errorf("after a restart %q", got)
	}
}

func TestFairnessIsDecidedByTheInterval(t *testing.T) {
	w := newWorld(t, "iso42001-fairness")
	w.at(0)
	w.slot(1, even, 50, 50)
	w.slot(2, even, 38, 50) // -0.12 over 200 each: the interval reaches into the band
	w.slot(3, even, 20, 60) // -0.4: all of it is outside
	want := []string{"@10s gender,female pass ok 1", "@20s gender,female warn ok 2", "@30s gender,female fail firing 1"}
	if got := w.stored("FAI-02"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	ev := w.of("FAI-02", "evenkeel_group", "female")
	if ev.Lower == nil || ev.Upper == nil || *ev.Upper >= -0.1 || *ev.Lower >= *ev.Upper || ev.Samples < 100 {
		t.Errorf("interval: %+v", ev)
	}
	if !strings.HasPrefix(ev.Reason, "statistical parity difference of gender female is -0.4 (-0.4") || !strings.HasSuffix(ev.Reason, "), outside [-0.1, 0.1], in 1 window") {
		t.Errorf("reason: %s", ev.Reason)
	}
}

func TestSilenceOfADeclaredSystem(t *testing.T) {
	w := newWorld(t, "iso42001-drift")
	w.systems = []signal.SystemID{"bank"}
	w.restart()
	for n := range 4 {
		w.at(time.Duration(n)*length + 5*time.Second)
	}
	w.slot(4, even, 50, 50)
	want := []string{
		"@10s whole no_data pending 1", "@20s whole no_data pending 2", "@30s whole no_data firing 3",
		"@40s age pass ok 1", "@40s income pass ok 1", "@40s whole pass ok 1",
	}
	if got := w.stored("DRF-01"); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("got %q", got)
	}
	// All agents fall silent: every subject that was measured has no data.
	for n := 5; n < 8; n++ {
		w.at(time.Duration(n)*length + 6*time.Second)
	}
	got := w.stored("DRF-01")
	if last := sorted(got[len(got)-2:]); !slices.Equal(last, []string{"@1m10s age no_data firing 3", "@1m10s income no_data firing 3"}) {
		t.Errorf("got %q", got)
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func TestHeartbeatsGoByTheWallClock(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	w.systems = []signal.SystemID{"bank", "mute"}
	w.restart()
	beat := func(at time.Time) {
		labels := model.SortLabels([]model.Label{{Name: "evenkeel_system_id", Value: "bank"}, {Name: "service_instance_id", Value: "a"}})
		s := model.Series{Name: "evenkeel_agent_heartbeat", Labels: labels, Kind: model.Gauge, SeenAt: at}
		s.Fingerprint = model.Fingerprint(s.Name, labels)
		w.write(&model.Rows{Series: []model.Series{s}, Samples: []model.Sample{{Fingerprint: s.Fingerprint, Time: at, Value: 1}}})
	}
	beat(noon.Add(-5 * time.Second))
	w.at(0)
	w.at(14 * time.Second) // the next tick has not come
	w.at(70 * time.Second) // three ticks went by, for two systems
	if missed, made := w.counter("evenkeel_evaluate_missed"), w.counter("evenkeel_evaluate_evaluations"); missed != 6 || made != 4 {
		t.Errorf("%v missed, %v made", missed, made)
	}
	w.at(6 * time.Minute)
	w.at(6*time.Minute + 15*time.Second)
	w.restart()
	w.at(6*time.Minute + 20*time.Second)
	w.at(6*time.Minute + 30*time.Second)
	want := []string{
		"@1m0s a warn ok 2", "@6m0s a fail pending 1", "@6m15s a fail pending 2", "@6m30s a fail firing 3",
		"@1m0s whole no_data pending 2", "@6m0s whole no_data pending 3", "@6m15s whole no_data pending 4", "@6m30s whole no_data pending 5",
	}
	if got := w.stored("LOG-02"); !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("got %q", got)
	}
	ev := w.of("LOG-02", "service_instance_id", "a")
	if ev.Reason != "seconds since the newest heartbeat of a is 395, above 300, for 30s" || *ev.Value != 395 {
		t.Errorf("reason: %s", ev.Reason)
	}
}

func TestAQueryThatFailsIsAnErrorVerdict(t *testing.T) {
	w := newWorld(t, "iso42001-drift")
	w.at(0)
	w.slot(1, shifted, 50, 50)
	w.queries.MaxSamples = 1
	w.restart()
	w.slot(2, shifted, 50, 50)
	last := w.consumed[len(w.consumed)-2:]
	for _, ev := range last {
		if ev.Verdict != signal.Error || ev.State != model.StatePending || ev.Value != nil || !strings.Contains(ev.Reason, "could not be computed: run query") {
			t.Errorf("%+v", ev)
		}
	}
}

// forgetful refuses an evaluation twice, as a register does whose store is away.
type forgetful struct {
	w    *world
	left int
}

func (f *forgetful) Consume(ctx context.Context, rule *rules.Effective, ev model.Evaluation) error {
	if f.left--; f.left >= 0 {
		return errs.E("append event", errs.Unavailable, errors.New("connection refused"), "")
	}
	return f.w.Consume(ctx, rule, ev)
}

func TestTheRegisterIsAskedUntilItHasTakenIt(t *testing.T) {
	w := newWorld(t, "iso42001-drift")
	e, err := evaluate.New(evaluate.Options{
		Store: w.store, Queries: query.New(w.store, query.Options{}), Rules: w.set, Register: &forgetful{w, 2}, Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Sealed(context.Background(), model.FleetWindow{System: "bank", Model: loans, Length: length, Start: noon, End: noon.Add(length)})
	if len(w.consumed) != 1 || w.consumed[0].Verdict != signal.NoData {
		t.Errorf("consumed %+v", w.consumed)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	w := newWorld(t, "iso42001-logging")
	ctx, cancel := context.WithCancel(context.Background())
	seen := make(chan model.Evaluation, 10)
	e, err := evaluate.New(evaluate.Options{
		Store: w.store, Queries: query.New(w.store, query.Options{}), Rules: w.set, Systems: []signal.SystemID{"bank"}, Register: channel(seen),
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	select {
	case ev := <-seen:
		if ev.Verdict != signal.NoData || ev.WindowEnd.Unix()%15 != 0 {
			t.Errorf("%+v", ev)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was evaluated")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type channel chan model.Evaluation

func (c channel) Consume(_ context.Context, _ *rules.Effective, ev model.Evaluation) error {
	c <- ev
	return nil
}

func BenchmarkEvaluateWindow(b *testing.B) {
	w := newWorld(b, "iso42001-drift")
	w.at(0)
	rows := &model.Rows{}
	const subjects = 100
	for i := range subjects {
		for name, value := range map[string]float64{"evenkeel_drift_score": 0.01, "evenkeel_drift_score_samples": 5000} {
			s := model.Series{Name: name, Kind: model.Gauge, SeenAt: noon, Labels: model.SortLabels([]model.Label{
				{Name: "evenkeel_system_id", Value: "bank"},
				{Name: "evenkeel_model_name", Value: "loans"},
				{Name: "evenkeel_model_version", Value: "1"},
				{Name: "evenkeel_scope", Value: "fleet"},
				{Name: "evenkeel_window_length", Value: "10s"},
				{Name: "evenkeel_drift_method", Value: "psi"},
				{Name: "evenkeel_drift_target", Value: "feature"},
				{Name: "evenkeel_feature_name", Value: fmt.Sprint("f", i)},
			})}
			s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
			rows.Series = append(rows.Series, s)
			for n := range 200 {
				rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: noon.Add(time.Duration(n+1) * length), Value: value})
			}
		}
	}
	w.write(rows)
	n := 0
	for b.Loop() {
		n++
		start := noon.Add(time.Duration(n%200-1) * length)
		w.evaluator.Sealed(context.Background(), model.FleetWindow{System: "bank", Model: loans, Length: length, Start: start, End: start.Add(length)})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/subjects, "us/subject")
}
