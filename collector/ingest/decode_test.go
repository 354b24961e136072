package ingest

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// decode decodes one payload and holds its admission to the same judgement.
func decode(t testing.TB, kind spool.Kind, payload []byte) *Decoder {
	t.Helper()
	d := NewDecoder()
	if err := d.Add(kind, payload, noon); err != nil {
		t.Fatal(err)
	}
	a, err := admit(kind, payload, noon, Limits{}, nil)
	if err != nil || a.changed || !reflect.DeepEqual(a.Tally, d.Tally) {
		t.Fatalf("admission says %+v, %v; decoding says %+v", a.Tally, err, d.Tally)
	}
	return d
}

func TestWindowEventsBecomeDistributions(t *testing.T) {
	req, records := newLogs()
	want := window(7)
	putWindow(records.AppendEmpty(), want)
	d := decode(t, spool.Logs, bytesOf(t, req))
	if len(d.Rows.Distributions) != 1 || !reflect.DeepEqual(d.Rows.Distributions[0], want) {
		t.Fatalf("got %+v, want %+v", d.Rows.Distributions, want)
	}
	if len(d.Rows.Logs) != 1 || d.Rows.Logs[0].EventName != signal.EventWindowProfile || !d.Rows.Logs[0].Time.Equal(want.End) {
		t.Errorf("the event is not in the logs: %+v", d.Rows.Logs)
	}
	if got := d.Rows.Logs[0].LogAttributes["evenkeel.counts"]; got != "[3,5,2]" {
		t.Errorf("counts as text: %s", got)
	}
}

func TestGroupTablesAndEmptyWindowsAreWindowsToo(t *testing.T) {
	group := window(1)
	group.Target, group.Feature, group.Kind = signal.TargetGroup, "gender", signal.Categorical
	group.Counts, group.Missing, group.New, group.N = []uint64{}, 0, 0, 12
	group.Groups = []signal.GroupCount{{Group: "female", Favourable: 2, Total: 5}, {Group: "male", Favourable: 4, Total: 7}}
	empty := window(2)
	empty.Counts, empty.Missing, empty.New, empty.N = []uint64{0, 0, 0}, 0, 0, 0
	empty.Sum, empty.SumSquares, empty.Min, empty.Max = 0, 0, math.NaN(), math.NaN()
	req, records := newLogs()
	putWindow(records.AppendEmpty(), group)
	putWindow(records.AppendEmpty(), empty)
	got := decode(t, spool.Logs, bytesOf(t, req)).Rows.Distributions
	if len(got) != 2 || !reflect.DeepEqual(got[0], group) || got[1].N != 0 || !math.IsNaN(got[1].Min) || len(got[1].Counts) != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestAnInconsistentWindowIsRefusedAndItsLogKept(t *testing.T) {
	req, records := newLogs()
	putWindow(records.AppendEmpty(), window(1))
	broken := records.AppendEmpty()
	putWindow(broken, window(2))
	broken.Attributes().PutInt("evenkeel.n", 99)
	d := decode(t, spool.Logs, bytesOf(t, req))
	if len(d.Rows.Distributions) != 1 || len(d.Rows.Logs) != 2 || d.Items != 2 {
		t.Fatalf("%d distributions, %d logs of %d", len(d.Rows.Distributions), len(d.Rows.Logs), d.Items)
	}
	if d.Refused.Count != 1 || d.Refused.ByReason[reasonWindow] != 1 || !strings.Contains(d.Refused.Message(), "evenkeel.n: 99") {
		t.Errorf("refused: %+v", d.Refused)
	}
}

func TestAWindowWithoutASystemIsRefused(t *testing.T) {
	req, records := newLogs()
	req.Logs().ResourceLogs().At(0).Resource().Attributes().Remove(signal.KeySystemID)
	putWindow(records.AppendEmpty(), window(1))
	d := decode(t, spool.Logs, bytesOf(t, req))
	if d.Refused.Count != 1 || !strings.Contains(d.Refused.First, signal.KeySystemID) {
		t.Errorf("refused: %+v", d.Refused)
	}
}

func TestBaselinesAreHeldToTheirDigest(t *testing.T) {
	content, err := canonical.JSON(baseline())
	if err != nil {
		t.Fatal(err)
	}
	digest := canonical.Sum(content)
	declare := func(id string, body string) *Decoder {
		req, records := newLogs()
		lr := records.AppendEmpty()
		lr.SetEventName(signal.EventBaseline)
		lr.Attributes().PutStr(signal.KeyBaselineID, id)
		lr.Attributes().PutStr(signal.KeyModelName, "loans")
		lr.Attributes().PutStr(signal.KeyModelVersion, "4")
		lr.Body().SetStr(body)
		return decode(t, spool.Logs, bytesOf(t, req))
	}
	d := declare(digest, string(content))
	want := []model.Baseline{{
		Digest: signal.Digest(digest), System: "loan-approval",
		Model: signal.ModelRef{Name: "loans", Version: "4"}, SeenAt: noon, Content: string(content),
	}}
	if !reflect.DeepEqual(d.Rows.Baselines, want) {
		t.Errorf("got %+v, want %+v", d.Rows.Baselines, want)
	}
	for name, d := range map[string]*Decoder{
		"another digest": declare(canonical.Sum([]byte("x")), string(content)),
		"changed":        declare(digest, strings.Replace(string(content), `"rows":10`, `"rows":11`, 1)),
		"not sound":      declare(digest, `{"format":"evenkeel.baseline/v1"}`),
		"not JSON":       declare(digest, "hello"),
	} {
		if d.Refused.ByReason[reasonBaseline] != 1 || len(d.Rows.Baselines) != 0 {
			t.Errorf("%s: refused %+v, baselines %+v", name, d.Refused, d.Rows.Baselines)
		}
	}
}

func TestLineageEventsAreRead(t *testing.T) {
	event := `{"eventTime":"2026-03-14T11:59:00Z","eventType":"START","producer":"https://example.org/agent","schemaURL":"https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent","run":{"runId":"01890a5d-ac96-774b-bcce-b302099a8057"},"job":{"namespace":"demo","name":"loans"},"more":1}`
	req, records := newLogs()
	for _, body := range []string{event, `{"eventType":"START"}`, "{"} {
		lr := records.AppendEmpty()
		lr.SetEventName(signal.EventLineageRun)
		lr.Body().SetStr(body)
	}
	d := decode(t, spool.Logs, bytesOf(t, req))
	want := []model.LineageEvent{{
		Time: noon.Add(-time.Minute), System: "loan-approval", Kind: "run", EventType: "START", RunID: "01890a5d-ac96-774b-bcce-b302099a8057",
		Job: "demo/loans", Producer: "https://example.org/agent", Nodes: []string{"job:demo#loans", "run:01890a5d-ac96-774b-bcce-b302099a8057"}, Event: event,
	}}
	if !reflect.DeepEqual(d.Rows.Lineage, want) {
		t.Errorf("got %+v, want %+v", d.Rows.Lineage, want)
	}
	if d.Refused.ByReason[reasonLineage] != 2 || len(d.Rows.Logs) != 3 {
		t.Errorf("refused %+v, %d logs", d.Refused, len(d.Rows.Logs))
	}
}

func TestLogsKeepTheirFields(t *testing.T) {
	req, records := newLogs()
	lr := records.AppendEmpty()
	lr.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(-time.Hour)))
	lr.SetTraceID(pcommon.TraceID{1})
	lr.SetSpanID(pcommon.SpanID{2})
	lr.SetSeverityNumber(9)
	lr.SetSeverityText("INFO")
	lr.Body().SetEmptyMap().PutInt("n", 4)
	lr.Attributes().PutBool("ok", true)
	records.AppendEmpty().Body().SetStr("no time at all")
	got := decode(t, spool.Logs, bytesOf(t, req)).Rows.Logs
	want := model.Log{
		Time: noon.Add(-time.Hour), ObservedTime: noon, TraceID: "01000000000000000000000000000000", SpanID: "0200000000000000",
		SeverityText: "INFO", SeverityNumber: 9, ServiceName: "loans", Body: `{"n":4}`, ScopeName: "test",
		ResourceAttributes: map[string]string{
			signal.KeySystemID: "loan-approval", signal.KeyServiceName: "loans", signal.KeyInstanceID: "agent-1", "host.name": "only in logs",
		},
		ScopeAttributes: map[string]string{}, LogAttributes: map[string]string{"ok": "true"},
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got[0], want)
	}
	if !got[1].Time.Equal(noon) || !got[1].ObservedTime.Equal(noon) {
		t.Errorf("a record without time stands at %s, %s; want the time it came", got[1].Time, got[1].ObservedTime)
	}
}

// TestNamesAreFixed holds the names that rules, dashboards and queries use.
func TestNamesAreFixed(t *testing.T) {
	n := newNames()
	var out strings.Builder
	for _, name := range []string{
		signal.MetricInferenceDuration, signal.MetricObservationCount, signal.MetricViolationCount, signal.MetricHeartbeat,
		signal.MetricDriftScore, signal.MetricDriftScore + signal.SuffixLower, signal.MetricDriftScore + signal.SuffixUpper, signal.MetricDriftScore + signal.SuffixSamples,
		signal.MetricDisparity, signal.MetricDisparity + signal.SuffixLower, signal.MetricDisparity + signal.SuffixUpper, signal.MetricDisparity + signal.SuffixSamples,
		signal.MetricDriftShare, signal.MetricDriftEvidence, signal.MetricDriftAlarm, signal.MetricQuality, signal.MetricFairnessCoverage,
	} {
		translated, err := n.metricName(name)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("metric " + name + " " + translated + "\n")
	}
	for _, key := range []string{
		signal.KeySystemID, signal.KeyServiceName, signal.KeyInstanceID, signal.KeyEnvironment, signal.KeyModelName, signal.KeyModelVersion,
		signal.KeyFeatureName, signal.KeyViolation, signal.KeyCapture, signal.KeyOutcome, signal.KeyScope, signal.KeyDriftMethod, signal.KeyDriftTarget,
		signal.KeyBaselineID, signal.KeyFairnessMetric, signal.KeyProtected, signal.KeyGroup, signal.KeyReferenceGroup, signal.KeyWindowLength, signal.KeyConvention, signal.KeyReason,
		signal.KeyGroupJudged, signal.KeyFeatureRequired,
	} {
		translated, err := n.labelName(key)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("label " + key + " " + translated + "\n")
	}
	golden(t, "names.golden", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; rules and dashboards hang on these names.\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}
