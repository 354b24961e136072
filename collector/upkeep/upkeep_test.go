package upkeep_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/collector/upkeep"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"

	"github.com/prometheus/prometheus/promql"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// failing is a store that is away as long as it is told.
type failing struct {
	model.Writer
	away bool
}

func (f *failing) Write(ctx context.Context, b model.Batch, rows *model.Rows, doubt model.Doubt) error {
	if f.away {
		return errs.E("write", errs.Unavailable, errors.New("connection refused"), "")
	}
	return f.Writer.Write(ctx, b, rows, doubt)
}

// The figures of a real evaluator stand in the store as rules ask for them: each
// evaluation once, also where the store was away for a while.
func TestFiguresAreInTheStore(t *testing.T) {
	store := storetest.Open(t)
	set, err := rules.Load(rules.Options{Packs: []string{"iso42001-logging"}})
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	queries := query.New(store, query.Options{})
	e, err := evaluate.New(evaluate.Options{
		Store: store, Queries: queries, Rules: set, Systems: []signal.SystemID{"bank"}, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Sealed(t.Context(), model.FleetWindow{System: "shadow", Model: signal.ModelRef{Name: "loans"}, Length: time.Hour, Start: noon.Add(-time.Hour), End: noon, Rows: 3})
	out := &failing{Writer: store}
	u := upkeep.New(upkeep.Options{
		Store: out, Evaluator: e, Declared: []signal.SystemID{"bank"}, Clock: func() time.Time { return now },
		Kept: map[string]time.Duration{"otel_logs": 190 * 24 * time.Hour, "labels": 0},
	})
	step := func(at time.Duration) {
		now = noon.Add(at)
		if err := e.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step(0)
	step(15 * time.Second)
	step(60 * time.Second) // two of LOG-02 passed by unused
	out.away = true
	if err := u.Write(t.Context(), noon.Add(time.Minute)); err == nil {
		t.Fatal("a store that is away took everything")
	}
	out.away = false
	step(75 * time.Second)
	if err := u.Write(t.Context(), noon.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	step(90 * time.Second)
	if err := u.Write(t.Context(), noon.Add(3*time.Minute)); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, expr := range []string{
		`sum by (evenkeel_system_id, evenkeel_outcome) (sum_over_time(evenkeel_rule_evaluations{evenkeel_rule="LOG-02"}[1h]))`,
		"evenkeel_system_declared", "evenkeel_retention_kept",
	} {
		v, err := queries.Instant(t.Context(), expr, noon.Add(3*time.Minute), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range v.(promql.Vector) {
			got[fmt.Sprint(s.Metric.Get("__name__"), " ", s.Metric.Get("evenkeel_system_id"), " ", s.Metric.Get("evenkeel_outcome"), s.Metric.Get("evenkeel_table"))] = s.F
		}
	}
	want := map[string]float64{
		" bank done": 5, " bank missed": 2, " shadow done": 5, " shadow missed": 2,
		"evenkeel_system_declared bank ": 1, "evenkeel_system_declared shadow ": 0,
		"evenkeel_retention_kept bank otel_logs": 190 * 86400, "evenkeel_retention_kept bank labels": signal.KeptForEver,
		"evenkeel_retention_kept shadow otel_logs": 190 * 86400, "evenkeel_retention_kept shadow labels": signal.KeptForEver,
	}
	if !maps.Equal(got, want) {
		for _, key := range slices.Sorted(maps.Keys(got)) {
			t.Logf("%s: %v", key, got[key])
		}
		t.Errorf("figures differ from %v", want)
	}
}
