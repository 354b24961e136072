package export

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

// someRows are n predictions of request number request.
func someRows(request, n int) []signal.Prediction {
	rows := make([]signal.Prediction, n)
	for i := range rows {
		rows[i] = signal.Prediction{
			System: "loan-approval", Instance: "i-1", Model: signal.ModelRef{Name: "loans", Version: "7"},
			ID: fmt.Sprint("request-", request), Row: uint32(i), Time: noon.Add(time.Duration(i)),
			Value: fmt.Sprint(i % 2), Score: float64(i%10) / 10, Rate: 1, Baseline: "sha256:0123",
		}
	}
	return rows
}

// predictionsOf decodes every prediction that was accepted, in order.
func predictionsOf(t testing.TB, r *otlptest.Receiver) []signal.Prediction {
	t.Helper()
	var out []signal.Prediction
	for _, e := range r.Events(signal.EventPrediction) {
		p, err := signal.DecodePrediction(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		p.System = signal.SystemID(e.Resource[signal.KeySystemID].(string))
		p.Time = e.Time
		p.Instance = signal.InstanceID(e.Resource[signal.KeyInstanceID].(string))
		out = append(out, *p)
	}
	return out
}

// lineageRuns gives the runs that were declared, by version.
func lineageRuns(t testing.TB, r *otlptest.Receiver) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range r.Events(signal.EventLineageRun) {
		run, err := signal.ParseRunEvent([]byte(e.Body))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Attributes[signal.KeyModelVersion].(string)] = run.Run.RunID
	}
	return out
}

// What the collector decodes is what was predicted, to the last field, under the
// run that was declared; many requests of clients travel in one.
func TestPredictionsArriveWholeTogetherAndUnderTheirRun(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	e.Start()
	rows := slices.Concat(someRows(1, 3), someRows(2, 1), someRows(3, 50))
	rows[0].Score, rows[0].Value = math.NaN(), ""
	rows[1].Groups, rows[1].Basis = []signal.Membership{{Attribute: "gender", Group: "female"}, {Attribute: "age", Group: "(unknown)"}}, "a law"
	rows[2].Rate, rows[2].TraceID = 0.25, "4bf92f3577b34da6a3ce929d0e0e4736"
	rows[53].Model.Version = "8"
	start := time.Now()
	e.Predict(slices.Clone(rows[:3]))
	e.Predict(slices.Clone(rows[3:4]))
	e.Predict(slices.Clone(rows[4:]))
	otlptest.Eventually(t, "54 predictions", func() bool { return len(receiver.Events(signal.EventPrediction)) >= len(rows) })
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("they took %s", took)
	}
	got, runs := predictionsOf(t, receiver), lineageRuns(t, receiver)
	for i := range rows {
		rows[i].Run = runs[rows[i].Model.Version]
		if fmt.Sprintf("%+v", got[i]) != fmt.Sprintf("%+v", rows[i]) || rows[i].Run == "" { // NaN equals NaN in text
			t.Errorf("row %d\ngot  %+v\nwant %+v", i, got[i], rows[i])
		}
	}
	events := receiver.Events(signal.EventPrediction)
	if events[0].Request != events[53].Request {
		t.Error("they did not travel together")
	}
	for _, other := range receiver.Events(signal.EventLineageRun) {
		if other.Request == events[0].Request {
			t.Error("evidence travelled with predictions")
		}
	}
	if n := len(got); n != len(rows) || runs["7"] == runs["8"] {
		t.Errorf("%d predictions under the runs %v", n, runs)
	}
}

// Closing writes and sends what waits, before the runs are complete.
func TestCloseSendsThePredictionsThatWait(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	e.Start()
	e.Predict(someRows(1, 5))
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(receiver.Events(signal.EventPrediction)); n != 5 {
		t.Errorf("%d predictions were sent", n)
	}
}

// Before Start, and with a collector that is away, they wait on disk.
func TestPredictionsOutliveTheAgent(t *testing.T) {
	folder := t.TempDir()
	e := newExporter(t, folder, "http://127.0.0.1:1", nil)
	e.Predict(someRows(1, 5))
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	receiver := otlptest.Start(t, nil)
	again := newExporter(t, folder, receiver.URL(), nil)
	again.Start()
	otlptest.Eventually(t, "5 predictions", func() bool { return again.spool.Counts(Predictions).RecordsSent == 5 })
	if got := len(predictionsOf(t, receiver)); got != 5 {
		t.Errorf("%d predictions", got)
	}
}

// account gives what the metrics say of predictions: sent, and lost by reason.
func account(t testing.TB, e *Exporter) (sent int64, lost map[string]int64) {
	t.Helper()
	lost = map[string]int64{}
	for line := range strings.Lines(scrape(t, e.MetricsHandler())) {
		var n int64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n); err != nil {
			continue
		}
		switch {
		case strings.HasPrefix(line, "evenkeel_export_prediction_sent{"):
			sent = n
		case strings.HasPrefix(line, "evenkeel_export_prediction_lost{"):
			_, reason, _ := strings.Cut(line, `evenkeel_reason="`)
			reason, _, _ = strings.Cut(reason, `"`)
			lost[reason] = n
		}
	}
	return sent, lost
}

// Every prediction is sent, lost for a reason, or waits.
func TestEveryPredictionIsAccountedFor(t *testing.T) {
	partly, err := proto.Marshal(&collogs.ExportLogsServiceResponse{PartialSuccess: &collogs.ExportLogsPartialSuccess{RejectedLogRecords: 2, ErrorMessage: "no"}})
	if err != nil {
		t.Fatal(err)
	}
	receiver := otlptest.Start(t, func(r otlptest.Request) otlptest.Answer {
		if r.Path != "/v1/logs" {
			return otlptest.Answer{}
		}
		switch r.Logs.LogRecordCount() {
		case 7:
			return otlptest.Answer{Body: partly}
		case 11:
			return otlptest.Answer{Status: http.StatusBadRequest, ContentType: "application/json", Body: []byte(`{"code":3}`)}
		}
		return otlptest.Answer{}
	})
	folder := t.TempDir()
	e := newExporter(t, folder, receiver.URL(), nil)
	write := func(n int) {
		e.Predict(someRows(n, n))
		e.writePredictions(context.Background())
	}
	write(3)
	write(7)
	write(11)
	long := someRows(1, 2)
	long[0].Value, long[1].ID = strings.Repeat("x", signal.MaxPredictionValue+1), ""
	e.Predict(long)
	write(13) // after them, in one request
	damage(t, folder, 4)
	big := someRows(5, 1)
	big[0].ID = strings.Repeat("x", maxPredictionBytes)
	e.Predict(big)
	e.Start()
	otlptest.Eventually(t, "all are gone", func() bool { return e.spool.Counts(Predictions).Waiting == 0 })
	if err := os.Rename(filepath.Join(folder), folder+".away"); err != nil {
		t.Fatal(err)
	}
	write(17)
	if err := os.Rename(folder+".away", folder); err != nil {
		t.Fatal(err)
	}
	sent, lost := account(t, e)
	want := map[string]int64{lostMemory: 1, lostSpool: 17, lostUnsent: 2, lostRefused: 2 + 11, lostExpired: 0, lostDamaged: 13}
	if sent != 3+5 || !reflect.DeepEqual(lost, want) {
		t.Errorf("%d sent, lost %v; want 8 and %v", sent, lost, want)
	}
}

// damage changes the body of the n-th request of predictions on disk.
func damage(t testing.TB, folder string, n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "0*."+string(Predictions)))
	if err != nil || len(files) < n {
		t.Fatal(files, err)
	}
	raw, err := os.ReadFile(files[n-1])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if err := os.WriteFile(files[n-1], raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// However fast predictions come, memory is bounded, and one request to the
// collector too.
func TestPredictionsAreBounded(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", func(o *Options) { o.Export.Spool.Max = 1 << 30 })
	rows := someRows(1, 1000)
	n := int64(0)
	for ; e.predictions.memory == 0; n += 1000 {
		e.Predict(rows)
		if e.predictions.bytes > maxPredictionBytes {
			t.Fatalf("%d bytes wait", e.predictions.bytes)
		}
	}
	e.writePredictions(context.Background())
	c := e.spool.Counts(Predictions)
	if _, lost := account(t, e); lost[lostMemory] != 1000 || lost[lostSpool] != 0 || e.predictions.bytes != 0 {
		t.Errorf("lost %v of %d", lost, n)
	}
	if want := (maxPredictionBytes + predictionsAtOnce - 1) / predictionsAtOnce; c.Waiting < int64(want)-1 || c.Waiting > int64(want)+1 {
		t.Errorf("%d requests for %d rows, want about %d", c.Waiting, n, want)
	}
}

// A request of very many rows is refused by their number, before they are made.
func TestTooManyRowsAreNotMade(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", nil)
	const most = maxPredictionBytes / rowBytes
	if !e.CanPredict(most) || e.CanPredict(most+1) {
		t.Errorf("%d rows of %d bytes at the least are the most", most, rowBytes)
	}
	e.Predict(someRows(1, 1000))
	if e.CanPredict(most) || !e.CanPredict(most/2) {
		t.Error("what waits takes no room")
	}
	if _, lost := account(t, e); lost[lostMemory] != 2*most+1 {
		t.Errorf("lost %v", lost)
	}
}

// BenchmarkPredict is a row's way into the spool: encoded, marshalled,
// compressed, on disk, of requests of 100 rows.
func BenchmarkPredict(b *testing.B) {
	e := newExporter(b, b.TempDir(), "http://127.0.0.1:1", func(o *Options) { o.Export.Spool.Max = 1 << 40 })
	rows := someRows(1, 100)
	total := 0
	b.ReportAllocs()
	for b.Loop() {
		e.Predict(slices.Clone(rows))
		if total += len(rows); total%1000 == 0 {
			e.writePredictions(context.Background())
		}
	}
	e.writePredictions(context.Background())
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(total), "ns/row")
}
