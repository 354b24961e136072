package export

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/internal/canonical"
	iconfig "github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

var noon = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)

func defaultExport(endpoint string) config.Export {
	e := config.Default().Export
	e.Endpoint = endpoint
	e.Spool.Max = 8 << 20
	return e
}

func baseline() *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 100,
		Features: []signal.FeatureBaseline{
			{Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: []float64{1, 2, 3}, Deciles: []int{0, 2}, Counts: []uint64{40, 20, 20, 20}, N: 100},
			{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: []uint64{50, 50}, N: 100},
		},
		Groups: []signal.GroupBaseline{{Attribute: "gender", Reference: "male", Declared: true}},
	}
}

func newExporter(t testing.TB, folder, endpoint string, change func(*Options)) *Exporter {
	t.Helper()
	b := baseline()
	o := Options{
		Identity: Identity{System: "loan-approval", Instance: "i-1", Environment: "test", Version: "v0"},
		Folder:   folder, Export: defaultExport(endpoint), Window: config.Default().Window,
		Heartbeat: time.Hour, LineageEvery: time.Hour,
		Models: []Model{{Name: "loans", Baseline: b}},
		Retry:  Retry{First: time.Millisecond, Most: 5 * time.Millisecond},
		Now:    func() time.Time { return noon }, Log: quiet(),
	}
	o.Export.MetricsEvery = iconfig.Duration(time.Hour)
	if change != nil {
		change(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return e
}

// closedWindow is window number seq with 100 rows; counts shift with seq.
func closedWindow(seq uint64, version string) *window.Closed {
	b := baseline()
	digest, _ := b.Digest()
	ref := signal.ModelRef{Name: "loans", Version: version}
	id := signal.WindowID{Instance: "i-1", Sequence: seq}
	capture := signal.Capture{Seen: 12, Profiled: 10, Dropped: 1, Undecodable: 1}
	c := &window.Closed{Model: ref, ID: id, Start: noon.Add(-time.Minute), End: noon, Baseline: b, Capture: capture}
	part := func(d signal.Distribution) {
		d.System, d.Model, d.Window, d.Start, d.End = "loan-approval", ref, id, c.Start, c.End
		d.Parts, d.Baseline, d.Capture = 3, digest, capture
		c.Distributions = append(c.Distributions, &d)
	}
	income, approved := &b.Features[0], &b.Features[1]
	bounds := func(f *signal.FeatureBaseline) signal.Digest { d, _ := f.Bounds(); return d }
	part(signal.Distribution{
		Feature: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Bounds: bounds(income),
		Counts: []uint64{10, 20, 30, 35}, Missing: 4, Invalid: 1, N: 100, Sum: 250.5, SumSquares: 700.25, Min: 0.5, Max: 9,
	})
	part(signal.Distribution{
		Feature: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Bounds: bounds(approved),
		Counts: []uint64{60, 39}, New: 1, N: 100, Min: math.NaN(), Max: math.NaN(),
	})
	part(signal.Distribution{
		Feature: "gender", Target: signal.TargetGroup, Kind: signal.Categorical, Min: math.NaN(), Max: math.NaN(),
		N:      100,
		Groups: []signal.GroupCount{{Group: signal.GroupUnknown, Favourable: 1, Total: 1}, {Group: "female", Favourable: 10, Total: 49}, {Group: "male", Favourable: 28, Total: 50}},
	})
	return c
}

func publish(t testing.TB, e *Exporter, c *window.Closed) {
	t.Helper()
	if err := e.Publish(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

// What the collector decodes is what the window counted, to the last field,
// and a window is one request.
func TestWindowArrivesWholeAndExact(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	e.Start()
	sent := []*window.Closed{closedWindow(1, "7"), closedWindow(2, "7")}
	for _, c := range sent {
		publish(t, e, c)
	}
	otlptest.Eventually(t, "6 profiles", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 6 })
	events := receiver.Events(signal.EventWindowProfile)
	for i, event := range events {
		got, err := signal.DecodeDistribution(event.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		want := *sent[i/3].Distributions[i%3]
		got.System = want.System // stands on the resource
		if len(got.Counts) == 0 {
			got.Counts = want.Counts
		}
		if fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", want) { // NaN equals NaN in text
			t.Errorf("record %d\ngot  %+v\nwant %+v", i, *got, want)
		}
		if event.Request != events[i/3*3].Request {
			t.Errorf("window %d is split over requests", i/3)
		}
	}
	wantResource := map[string]any{
		"service.name": "evenkeel-agent", "service.instance.id": "i-1", "service.version": "v0",
		"deployment.environment.name": "test", "evenkeel.system.id": "loan-approval", "evenkeel.agent.version": "v0",
	}
	if !reflect.DeepEqual(events[0].Resource, wantResource) {
		t.Errorf("resource %v", events[0].Resource)
	}
}

// A window of a very wide model still is one request, and no attribute is cut.
func TestWideWindowIsOneRequestAndUncut(t *testing.T) {
	t.Setenv("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3")
	t.Setenv("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere")
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	e.Start()
	c := closedWindow(1, "7")
	for i := range 2000 {
		d := *c.Distributions[0]
		d.Feature = signal.FeatureName(fmt.Sprint("feature-with-a-long-name-", i))
		c.Distributions = append(c.Distributions, &d)
	}
	publish(t, e, c)
	otlptest.Eventually(t, "2003 profiles", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 2003 })
	events := receiver.Events(signal.EventWindowProfile)
	if events[0].Request != events[2002].Request {
		t.Error("the window is split over requests")
	}
	if _, err := signal.DecodeDistribution(events[2002].Attributes); err != nil {
		t.Error(err)
	}
}

func TestPublishReturnsOnlyWhenDurable(t *testing.T) {
	folder := t.TempDir()
	e := newExporter(t, folder, "http://127.0.0.1:1", nil) // never started: nothing is sent
	publish(t, e, closedWindow(1, "7"))
	onDisk := open(t, folder, 8<<20)
	if logs, metrics := onDisk.Counts(Logs).Waiting, onDisk.Counts(Metrics).Waiting; logs != 2 || metrics != 0 {
		t.Errorf("%d requests of logs and %d of metrics on disk, want the declaration and the window", logs, metrics)
	}
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := e.spool.Counts(Metrics).Waiting; n == 0 {
		t.Error("the last metrics do not count as metrics")
	}
}

func TestBaselineAndLineageAreDeclaredAtStartOnANewVersionAndAtTheEnd(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	e.Start()
	otlptest.Eventually(t, "the first declaration", func() bool { return len(receiver.Events(signal.EventLineageRun)) == 1 })
	for i, version := range []string{"1", "1", "2", "1", "2"} {
		publish(t, e, closedWindow(uint64(i+1), version))
	}
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got []string
	runs := map[string]string{}
	for _, event := range receiver.Events(signal.EventLineageRun) {
		run, err := signal.ParseRunEvent([]byte(event.Body))
		if err != nil {
			t.Fatal(err)
		}
		version := event.Attributes[signal.KeyModelVersion].(string)
		got = append(got, fmt.Sprintf("%s %q", run.EventType, version))
		if version != "" && runs[version] != "" && runs[version] != run.Run.RunID {
			t.Errorf("version %s has two runs", version)
		}
		runs[version] = run.Run.RunID
	}
	if want := `START "", RUNNING "1", START "2", COMPLETE "1", COMPLETE "2"`; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	declared := receiver.Events(signal.EventBaseline)
	if len(declared) != len(got) {
		t.Fatalf("%d baselines declared, want one with each of %d lineage events", len(declared), len(got))
	}
	var b signal.Baseline
	if err := json.Unmarshal([]byte(declared[0].Body), &b); err != nil {
		t.Fatal(err)
	}
	if id := declared[0].Attributes[signal.KeyBaselineID]; id != canonical.Sum([]byte(declared[0].Body)) || !reflect.DeepEqual(&b, baseline()) {
		t.Errorf("the body is not the baseline of digest %v", id)
	}
}

func TestLineageIsDeclaredAgainAndAgain(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), func(o *Options) { o.LineageEvery = 5 * time.Millisecond })
	e.Start()
	otlptest.Eventually(t, "three declarations", func() bool { return len(receiver.Events(signal.EventLineageRun)) >= 3 })
	for i, event := range receiver.Events(signal.EventLineageRun)[:3] {
		want := string(signal.RunRunning)
		if i == 0 {
			want = string(signal.RunStart)
		}
		if got := event.Attributes[signal.KeyLineageEventType]; got != want {
			t.Errorf("declaration %d is %v, want %s", i, got, want)
		}
	}
}

// The collector's certificate is trusted through export.tls.ca_file, and only
// through it.
func TestCollectorBehindTLS(t *testing.T) {
	var taken atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write := func(content []byte) {
		if err := os.WriteFile(ca, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	strangers := newExporter(t, t.TempDir(), server.URL, nil)
	strangers.Start()
	otlptest.Eventually(t, "a failed attempt", func() bool { return strangers.spool.Counts(Logs).Retried > 0 })
	if taken.Load() != 0 {
		t.Error("a server was trusted whose certificate nobody vouches for")
	}
	write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	trusting := newExporter(t, t.TempDir(), server.URL, func(o *Options) { o.Export.TLS.CAFile = ca })
	trusting.Start()
	otlptest.Eventually(t, "requests taken", func() bool { return taken.Load() > 0 })

	write([]byte("no certificate"))
	export := defaultExport(server.URL)
	export.TLS.CAFile = ca
	if _, err := newClient(export); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("got %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func scrape(t testing.TB, h http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics answers %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// The names, labels and buckets that dashboards and rules rest on.
func TestPrometheusExposition(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", nil)
	if err := e.Watch(Sources{
		QueueBytes:  func() int64 { return 5 },
		Dropped:     func() map[string]uint64 { return map[string]uint64{"queue_full": 2} },
		Ignored:     func() map[string]uint64 { return map[string]uint64{"unknown_model": 2} },
		Undecodable: func() map[string]uint64 { return map[string]uint64{"bad_json": 1, "error_status": 3} },
		Profilers:   func() []*window.Profiler { return nil },
		Carries:     func() window.CarryFaults { return window.CarryFaults{} },
	}); err != nil {
		t.Fatal(err)
	}
	publish(t, e, closedWindow(1, "7"))
	e.Inference(signal.ModelRef{Name: "loans", Version: "7"}, "ok", 3*time.Millisecond)
	var kept []string
	for line := range strings.Lines(scrape(t, e.MetricsHandler())) {
		if !strings.HasPrefix(line, "#") {
			line = line[:strings.LastIndexByte(line, ' ')] + "\n" // values are other tests' matter
		}
		kept = append(kept, line)
	}
	got := strings.Join(kept, "")
	path := filepath.Join("testdata", "metrics.golden.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("/metrics differs from %s; if that is meant, run go test -update\n%s", path, got)
	}
}

// A score that the last window does not have is not shown any more.
func TestEmptyWindowHasNoScores(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", nil)
	publish(t, e, closedWindow(1, "7"))
	before := scrape(t, e.MetricsHandler())
	empty := closedWindow(2, "7")
	for _, d := range empty.Distributions {
		d.Counts, d.Missing, d.Other, d.New, d.Invalid, d.N, d.Groups = make([]uint64, len(d.Counts)), 0, 0, 0, 0, 0, nil
	}
	publish(t, e, empty)
	after := scrape(t, e.MetricsHandler())
	for _, name := range []string{"evenkeel_drift_score{", "evenkeel_fairness_disparity{"} {
		if !strings.Contains(before, name) || strings.Contains(after, name) {
			t.Errorf("%s: shown %v before, %v after the empty window", name, strings.Contains(before, name), strings.Contains(after, name))
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	e := newExporter(b, b.TempDir(), "http://127.0.0.1:1", nil)
	c := closedWindow(1, "7")
	for b.Loop() {
		if err := e.Publish(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}
