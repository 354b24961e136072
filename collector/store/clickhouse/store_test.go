package clickhouse_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { storetest.Main(m) }

// noon is when everything happens, in the middle of a day.
var noon = time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// series makes a series with its fingerprint out of label pairs.
func series(name string, pairs ...string) model.Series {
	var labels []model.Label
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, model.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	labels = model.SortLabels(labels)
	return model.Series{
		Fingerprint: model.Fingerprint(name, labels), Name: name, Labels: labels,
		Kind: model.Gauge, Unit: "1", SeenAt: noon,
	}
}

// everything fills each table, most of them over two days.
func everything() *model.Rows {
	drift := series("evenkeel_drift_score", "evenkeel_system_id", "loans", "evenkeel_feature_name", "income")
	value := 0.3
	baseline := signal.Baseline{Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loan"}, Rows: 7}
	content, _ := json.Marshal(baseline)
	digest, _ := baseline.Digest()
	rows := &model.Rows{
		Series:    []model.Series{drift},
		Baselines: []model.Baseline{{Digest: digest, System: "loans", Model: baseline.Model, SeenAt: noon, Content: string(content)}},
	}
	for i := range 4 {
		at := noon.Add(time.Duration(i) * 8 * time.Hour)
		rows.Samples = append(rows.Samples, model.Sample{Fingerprint: drift.Fingerprint, Time: at, Value: float64(i)})
		rows.Logs = append(rows.Logs, model.Log{
			Time: at, ObservedTime: at, Body: fmt.Sprint("log ", i), EventName: "e", ServiceName: "loan-approval", SeverityNumber: 9,
			TraceFlags: 1, LogAttributes: map[string]string{"i": fmt.Sprint(i)}, ResourceAttributes: map[string]string{"service.name": "loan-approval"},
		})
		rows.Spans = append(rows.Spans, model.Span{
			Time: at, Duration: time.Second, TraceID: fmt.Sprint("trace-", i), SpanID: "s", Name: "inference", Kind: "Server", ServiceName: "loan-approval", StatusCode: "Ok",
			SpanAttributes: map[string]string{"i": fmt.Sprint(i)}, Events: []model.SpanEvent{{Time: at, Name: "e", Attributes: map[string]string{"a": "b"}}},
			Links: []model.SpanLink{{TraceID: "other", SpanID: "s"}},
		})
		rows.Distributions = append(rows.Distributions, distribution(uint64(i+1), at))
		rows.Lineage = append(rows.Lineage, model.LineageEvent{Time: at, System: "loans", EventType: "RUNNING", RunID: "r", Job: "ns/job", Event: "{}"})
		rows.FleetWindows = append(rows.FleetWindows, model.FleetWindow{
			System: "loans", Model: signal.ModelRef{Name: "loan", Version: "1"}, Length: time.Hour, Start: at.Add(-time.Hour), End: at,
			WindowIDs: []string{"a/1", "b/1"}, Instances: []string{"a", "b"}, Absent: []string{"c"}, Gaps: 1, Rows: 100, SealedAt: at.Add(time.Second),
			Explanations: map[signal.FeatureName]string{"income": "it doubled"}, Cohort: []string{"", `{"task":"decision"}`}[i%2],
		})
		rows.Predictions = append(rows.Predictions, prediction(fmt.Sprint("request-", i), 0, at))
		rows.Labels = append(rows.Labels, signal.Label{
			System: "loans", ID: fmt.Sprint("request-", i), Value: "approved", Time: at.Add(time.Minute), Source: "desk", Received: at.Add(time.Hour),
		})
		rows.DriftProcesses = append(rows.DriftProcesses, model.DriftProcess{
			System: "loans", Model: signal.ModelRef{Name: "loan", Version: "1"}, Length: time.Hour, Baseline: "sha256:b1",
			Target: signal.TargetFeature, Feature: "income", WindowEnd: at,
			Evidence: measure.DriftEvidence{Windows: uint64(i + 1), Rows: 100, LogStarted: -1.0 / 3, Earlier: []float64{0.1, 1e300, 2.0 / 3}},
		})
		rows.Evaluations = append(rows.Evaluations, model.Evaluation{
			ID: fmt.Sprint("evaluation-", i), Rule: "DRF-01", RuleVersion: 1, RuleDigest: "sha256:aa", QueryDigest: "sha256:bb", System: "loans",
			Subject: map[string]string{"evenkeel_system_id": "loans", "evenkeel_feature_name": "income"}, Verdict: signal.Fail,
			Value: &value, Samples: 1000, FailLimit: "> 0.25", WarnLimit: "> 0.1", WindowStart: at.Add(-time.Hour), WindowEnd: at,
			WindowIDs: []string{"a/1", "b/1"}, Reason: "income moved", State: model.StatePending, Streak: i + 1, EvaluatedAt: at.Add(time.Second),
			Run: model.Run{From: at, Windows: 1, Change: true, Least: &value, Most: &value, Fewest: 1000},
		})
		rows.Events = append(rows.Events, model.RegisterEvent{
			ID: fmt.Sprint("event-", i), Record: "record", Seq: uint64(i + 1), Time: at, Type: "opened",
			Actor: model.Actor{ID: "evenkeel", Kind: "service", Role: "evaluator"}, Data: json.RawMessage(`{"a":1}`), PrevHash: "sha256:00", Hash: "sha256:11",
		})
		rows.Deliveries = append(rows.Deliveries, model.Delivery{
			Sink: "webhook", Event: "event-0", Attempt: i + 1, OK: i == 3, Ticket: "T-1", Error: "refused", Time: at,
		})
	}
	return rows
}

// prediction is one answer of the model loan, version 1.
func prediction(id string, row uint32, at time.Time) signal.Prediction {
	return signal.Prediction{
		System: "loans", Model: signal.ModelRef{Name: "loan", Version: "1"}, Instance: "a", ID: id, Row: row, Time: at,
		Value: "approved", Score: 0.75, Groups: []signal.Membership{{Attribute: "gender", Group: "female"}, {Attribute: "race", Group: "(unknown)"}},
		Basis: "GDPR 9(2)(g)", Rate: 0.5, TraceID: "0af7651916cd43dd8448eb211c80319c", Baseline: "sha256:b1", Run: "run-1",
	}
}

func distribution(sequence uint64, end time.Time) *signal.Distribution {
	sketch := &measure.HyperLogLog{}
	sketch.Add(measure.RowHash(sequence * 0x9e3779b97f4a7c15))
	return &signal.Distribution{
		System: "loans", Model: signal.ModelRef{Name: "loan", Version: "1"}, Window: signal.WindowID{Instance: "a", Sequence: sequence},
		Start: end.Add(-time.Hour), End: end, Parts: 2, Baseline: "sha256:b1", Bounds: "sha256:b2",
		Target: signal.TargetFeature, Feature: "income", Kind: signal.Numeric,
		Counts: []uint64{1, 2, 3}, Missing: 4, Other: 5, New: 6, Invalid: 7, N: 28, Sum: 1.5, SumSquares: 2.5, Min: -1, Max: 3,
		OutOfRange: 3, Rate: 0.25, Held: 4, Embedded: []float64{0.1, -1e300, 2.0 / 3}, Distinct: sketch,
		Estimated: &measure.ExpectedPerformance{Rows: 7, Outside: 1, TruePositive: 1.0 / 3, Positives: []float64{1, 2}, Negatives: []float64{3, 4}},
		Groups: []signal.GroupCount{
			{Group: "(unknown)", Favourable: 0, Total: 1},
			{Group: "female", Favourable: 2, Total: 3, Requests: &measure.Requests{Count: 2, Rows: 3, Favourable: 2, RowsSquared: 5, RowsFavourable: 1.0 / 3}},
		},
		Capture: signal.Capture{Seen: 14, Profiled: 6, SampledOut: 3, OverCeiling: 2, Unread: 1, Dropped: 2, Undecodable: 3},
	}
}

// counted are the tables whose rows must be there exactly once.
var counted = []string{
	"samples", "otel_logs", "otel_traces", "otel_traces_trace_id_ts", "distributions", "lineage_events", "predictions", "labels", "drift_processes", "fleet_windows", "evaluations", "register_events", "deliveries",
}

// scalar reads one number.
func scalar(t testing.TB, s *clickhouse.Store, query string, args ...any) uint64 {
	t.Helper()
	var n uint64
	if err := s.Conn().QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// wantRows checks how many rows of a batch every counted table holds.
func wantRows(t testing.TB, s *clickhouse.Store, batch model.Batch, want uint64) {
	t.Helper()
	wantRowsOf(t, s, batch, want, counted...)
}

// growing are the tables whose rows belong to the batch that came with them: not
// those that replace each other.
func growing() []string {
	return slices.DeleteFunc(slices.Clone(counted), func(table string) bool { return table == "evaluations" })
}

func wantRowsOf(t testing.TB, s *clickhouse.Store, batch model.Batch, want uint64, tables ...string) {
	t.Helper()
	for _, table := range tables {
		if n := scalar(t, s, "SELECT count() FROM "+table+final(table)+" WHERE batch = {b:UInt64}", ch.Named("b", uint64(batch))); n != want {
			t.Errorf("%s holds %d rows of batch %d, want %d", table, n, batch, want)
		}
	}
}

func write(t testing.TB, s *clickhouse.Store, batch model.Batch, rows *model.Rows, doubt model.Doubt) {
	t.Helper()
	if err := s.Write(t.Context(), batch, rows, doubt); err != nil {
		t.Fatal(err)
	}
}
