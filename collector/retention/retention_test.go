package retention_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/register"
	"github.com/evenkeel/evenkeel/collector/retention"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	day    = 24 * time.Hour
	system = signal.SystemID("loan-approval")
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// stand is a store with evidence of every kind on each of the days given, three
// rows a day, and its register.
type stand struct {
	*clickhouse.Store
	t        *testing.T
	register *register.Register
	batch    uint64
}

func newStand(t *testing.T, ages ...int) *stand {
	s := &stand{Store: storetest.Open(t), t: t}
	var err error
	s.register, err = register.Open(t.Context(), s.Store, s.Store, register.Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, age := range ages {
		s.fill(now.Add(-time.Duration(age) * day))
	}
	return s
}

// fill adds three rows to each table for a day.
func (s *stand) fill(at time.Time) {
	var rows model.Rows
	for i := range 3 {
		t := at.Add(time.Duration(i) * time.Second)
		rows.Samples = append(rows.Samples, model.Sample{Fingerprint: uint64(i), Time: t, Value: 1})
		rows.Predictions = append(rows.Predictions, signal.Prediction{System: system, Model: signal.ModelRef{Name: "loans"}, ID: fmt.Sprint(i), Time: t, Rate: 1})
		rows.Labels = append(rows.Labels, signal.Label{System: system, ID: fmt.Sprint(i), Value: "1", Time: t, Received: t})
		rows.Logs = append(rows.Logs, model.Log{Time: t, ObservedTime: t, Body: "a log"})
		rows.Spans = append(rows.Spans, model.Span{Time: t, TraceID: fmt.Sprintf("%032x", i+1), SpanID: fmt.Sprintf("%016x", i+1)})
		rows.Lineage = append(rows.Lineage, model.LineageEvent{Time: t, System: system, Kind: "run", Event: "{}"})
		rows.Distributions = append(rows.Distributions, &signal.Distribution{System: system, Start: t.Add(-time.Minute), End: t, Feature: "income"})
	}
	s.write(&rows)
}

func (s *stand) write(rows *model.Rows) {
	s.t.Helper()
	s.batch++
	if err := s.Write(s.t.Context(), model.SpoolBatch(s.batch), rows, model.FirstTry); err != nil {
		s.t.Fatal(err)
	}
}

// rows counts those of a table on the day of so many days ago.
func (s *stand) rows(table, column string, age int) (n uint64) {
	s.t.Helper()
	at := now.Add(-time.Duration(age) * day)
	err := s.Conn().QueryRow(s.t.Context(), "SELECT count() FROM "+table+" WHERE toDate("+column+") = ?", at.Format(time.DateOnly)).Scan(&n)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *stand) job(ages retention.Ages, metrics prometheus.Registerer) *retention.Job {
	return retention.New(retention.Options{
		Store: s.Store, Records: s.register.List, Ages: ages, After: 2 * day, Every: time.Hour,
		Now: func() time.Time { return now }, Metrics: metrics,
	})
}

// tables are those that are cut by age, with the time that counts.
var tables = map[string]string{
	"samples": "time", "predictions": "time", "labels": "received", "otel_logs": "Timestamp", "otel_traces": "Timestamp",
	"otel_traces_trace_id_ts": "Start", "lineage_events": "time", "distributions": "window_end",
}

var hundredDays = retention.Ages{Samples: 100 * day, Windows: 100 * day, Predictions: 100 * day, Traces: 100 * day, Logs: 100 * day, Lineage: 100 * day}

// failing opens a record by windows that failed so many days ago, the last of
// them lastAge days ago.
func (s *stand) failing(firstAge, lastAge int, kept bool) model.Record {
	s.t.Helper()
	limit, err := rules.ParseLimit("> 0.25")
	if err != nil {
		s.t.Fatal(err)
	}
	rule := &rules.Effective{
		Digest: "sha256:" + signal.Digest(fmt.Sprintf("%064d", 7)),
		Rule: rules.Rule{
			Pack: "drift", Version: 1, ID: "DRF-01", Title: "Drift", Fail: limit, Method: rules.Method{Window: config.Duration(time.Hour)},
			OnFail: rules.OnFail{Opens: rules.OpensObservation, Severity: "minor"},
		},
	}
	for _, age := range []int{firstAge, lastAge} {
		end, value := now.Add(-time.Duration(age)*day), 1.0
		ev := model.Evaluation{
			ID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%d", age)).String(), Rule: "DRF-01", RuleVersion: 1, System: system,
			RuleDigest: rule.Digest, QueryDigest: rule.Digest, Verdict: signal.Fail, State: model.StateFiring, Streak: 1, Value: &value, Samples: 100,
			Subject: map[string]string{"evenkeel_system_id": string(system)}, FailLimit: "> 0.25",
			WindowStart: end.Add(-time.Hour), WindowEnd: end, EvaluatedAt: end.Add(time.Second),
		}
		if kept {
			s.write(&model.Rows{Evaluations: []model.Evaluation{ev}})
		}
		if err := s.register.Consume(s.t.Context(), rule, ev); err != nil {
			s.t.Fatal(err)
		}
	}
	list := s.register.List(model.RecordFilter{State: model.AnyOpen})
	if len(list) != 1 {
		s.t.Fatalf("%d records", len(list))
	}
	return list[0].Record
}

func TestWhatIsOldEnoughGoes(t *testing.T) {
	s := newStand(t, 300, 101, 100, 99, 1)
	metrics := prometheus.NewRegistry()
	job := s.job(hundredDays, metrics)
	done, err := job.Pass(t.Context())
	if err != nil || len(done.Drop) != 2*len(tables) || len(done.Held) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if rows, bytes := done.Rows(); rows != uint64(2*3*len(tables)) || bytes == 0 {
		t.Errorf("%d rows, %d bytes", rows, bytes)
	}
	for table, column := range tables {
		// The day of 100 days ago began more, and ended less than 100 days ago.
		for age, want := range map[int]uint64{300: 0, 101: 0, 100: 3, 99: 3, 1: 3} {
			if n := s.rows(table, column, age); n != want {
				t.Errorf("%s, %d days old: %d rows", table, age, n)
			}
		}
	}
	if n := counted(t, metrics, "evenkeel_retention_rows"); n != float64(2*3*len(tables)) {
		t.Errorf("%g rows are counted", n)
	}
	if done, err := job.Pass(t.Context()); err != nil || len(done.Drop) != 0 {
		t.Errorf("again: %+v, %v", done, err)
	}
	s.fill(now.Add(-200 * day)) // comes late
	if done, err := job.Pass(t.Context()); err != nil || len(done.Drop) != len(tables) {
		t.Errorf("what came late: %+v, %v", done, err)
	}
}

// counted sums a counter over its labels.
func counted(t *testing.T, metrics *prometheus.Registry, name string) (sum float64) {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func TestWithoutAnAgeNothingGoes(t *testing.T) {
	s := newStand(t, 3000)
	if done, err := s.job(retention.Ages{}, prometheus.NewRegistry()).Pass(t.Context()); err != nil || len(done.Drop) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
	if done, err := s.job(retention.Ages{Logs: 200 * day}, prometheus.NewRegistry()).Pass(t.Context()); err != nil || len(done.Drop) != 1 || done.Drop[0].Table != "otel_logs" {
		t.Errorf("%+v, %v", done, err)
	}
}

// What an open record may rest on stays: from before its first window until labels
// of the last one are in. What lies before and behind goes.
func TestOpenRecordsHoldTheirEvidence(t *testing.T) {
	s := newStand(t, 320, 310, 300, 250, 200, 198, 195, 150)
	rec := s.failing(300, 200, true)
	done, err := s.job(hundredDays, prometheus.NewRegistry()).Pass(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rec.OpenedAt.After(now.Add(-199 * day)) {
		t.Fatalf("opened at %s", rec.OpenedAt)
	}
	for table, column := range tables {
		for age, want := range map[int]uint64{320: 0, 310: 0, 300: 3, 250: 3, 200: 3, 198: 3, 195: 0, 150: 0} {
			if n := s.rows(table, column, age); n != want {
				t.Errorf("%s, %d days old: %d rows", table, age, n)
			}
		}
	}
	for _, h := range done.Held {
		if len(h.By) != 1 || h.By[0] != rec.Ref {
			t.Errorf("%s of %s is held by %v", h.Day, h.Table, h.By)
		}
	}
	if len(done.Held) != 4*len(tables) {
		t.Errorf("%d days are held", len(done.Held))
	}
}

// Where nobody can say what a record rests on, all that came before it stays.
func TestAnOpenRecordWithoutItsEvaluationHoldsAllBefore(t *testing.T) {
	s := newStand(t, 900, 250, 150)
	s.failing(300, 200, false)
	if _, err := s.job(hundredDays, prometheus.NewRegistry()).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	for age, want := range map[int]uint64{900: 3, 250: 3, 150: 0} {
		if n := s.rows("samples", "time", age); n != want {
			t.Errorf("%d days old: %d rows", age, n)
		}
	}
}
