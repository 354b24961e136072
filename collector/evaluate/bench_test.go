package evaluate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// answered gives to every query what it gave before: what a query costs is the
// engine's, and is not measured here.
type answered struct{ vector promql.Vector }

func (a answered) Instant(context.Context, string, time.Time, time.Duration) (parser.Value, error) {
	return a.vector, nil
}

// sink takes evaluations and stores none: what storing costs is the store's.
type sink struct{ rows int }

func (s *sink) Write(_ context.Context, _ model.Batch, rows *model.Rows, _ model.Doubt) error {
	s.rows += len(rows.Evaluations)
	return nil
}

func (s *sink) LatestEvaluations(context.Context, time.Time) ([]model.Evaluation, error) {
	return nil, nil
}

func (s *sink) Evaluations(context.Context, signal.RuleID, time.Time, time.Time, int) ([]model.Evaluation, error) {
	return nil, nil
}

// cpu is the time that the process has used of its processors.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkManySubjects judges 54 rules over many subjects in one window, beside
// the queries and the store: CPU for each window, and for each verdict.
func BenchmarkManySubjects(b *testing.B) {
	const rulesAtOnce = 54
	text := "pack: own\nversion: 1\nrules:\n"
	for i := range rulesAtOnce {
		text += fmt.Sprintf(`  - {id: OWN-%02d, title: own, monitors: m, method: {statistic: psi, window: 1h, min_samples: 10}, expr: x, samples: x, subject: [evenkeel_model_name, evenkeel_model_version, evenkeel_feature_name], fail: "> 9e9", evaluate: each window, analysed: weekly, responsible: {analyse: a, evaluate: b}, on_fail: {opens: observation}, refs: {iso42001: ["9.1"]}}`+"\n", i)
	}
	file := filepath.Join(b.TempDir(), "own.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	all, err := rules.Load(rules.Options{Packs: []string{"iso42001-logging"}, Files: []string{file}})
	if err != nil {
		b.Fatal(err)
	}
	for _, subjects := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint("subjects=", subjects), func(b *testing.B) {
			var a answered
			for i := range subjects {
				a.vector = append(a.vector, promql.Sample{F: float64(20 + i%7), Metric: labels.FromStrings(
					"__name__", "x", "evenkeel_system_id", "bank", "evenkeel_model_name", "loans", "evenkeel_model_version", "1",
					"evenkeel_window_length", "1h", "evenkeel_scope", "fleet", "evenkeel_feature_name", fmt.Sprint("feature_", i),
				)})
			}
			out := &sink{}
			e, err := evaluate.New(evaluate.Options{Store: out, Queries: a, Rules: all, Now: func() time.Time { return noon }})
			if err != nil {
				b.Fatal(err)
			}
			window := 0
			seal := func() {
				window++
				end := noon.Add(time.Duration(window) * time.Hour)
				e.Sealed(b.Context(), model.FleetWindow{System: "bank", Model: loans, Length: time.Hour, Start: end.Add(-time.Hour), End: end, Rows: 1, WindowIDs: []string{"a/1"}})
			}
			seal() // subjects are new once
			before, rows := cpu(b), out.rows
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				seal()
			}
			used := cpu(b) - before
			if want := b.N * rulesAtOnce * subjects; out.rows-rows != want {
				b.Fatalf("%d verdicts, want %d", out.rows-rows, want)
			}
			b.ReportMetric(float64(used.Milliseconds())/float64(b.N), "cpu-ms/window")
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*rulesAtOnce*subjects), "cpu-ns/verdict")
		})
	}
}
