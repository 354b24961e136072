package scrape

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	promodel "github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/agent/config"
	settings "github.com/evenkeel/evenkeel/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const vllmPage = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 6.0
vllm:num_requests_waiting{engine="0",model_name="llama"} 2.0
vllm:gpu_cache_usage_perc{engine="0",model_name="llama"} 0.125
# TYPE vllm:request_success_total counter
vllm:request_success_total{engine="0",finished_reason="stop",model_name="llama"} 100.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="llama"} 7.0
vllm:request_success_total{engine="0",finished_reason="abort",model_name="other"} 5.0
`

const tritonPage = `# TYPE nv_inference_request_success counter
nv_inference_request_success{model="loans",version="1"} 30
nv_inference_request_success{model="loans",version="2"} 12
nv_inference_request_failure{model="loans",reason="OTHER",version="2"} 3
nv_inference_pending_request_count{model="loans",version="2"} 40
nv_gpu_utilization{gpu_uuid="GPU-1"} 0.25
nv_gpu_utilization{gpu_uuid="GPU-2"} 0.5
`

const dcgmPage = `DCGM_FI_DEV_GPU_UTIL{gpu="0",modelName="A100"} 91
DCGM_FI_DEV_GPU_UTIL{gpu="1",modelName="A100"} 3
`

func TestPagesAreReadAsTheirServersMeanThem(t *testing.T) {
	for name, test := range map[string]struct {
		c      config.ScrapeServer
		page   string
		models string
		want   string
	}{
		"vllm":                      {config.ScrapeServer{Preset: "vllm"}, vllmPage, "llama", "llama 107 0.25"},
		"vllm under another name":   {config.ScrapeServer{Preset: "vllm", Model: "chat"}, vllmPage, "chat", "chat 112 0.25"},
		"vllm of nobody":            {config.ScrapeServer{Preset: "vllm"}, vllmPage, "chat", ""},
		"vllm, waiting bounded":     {config.ScrapeServer{Preset: "vllm", MaxWaiting: 4}, vllmPage, "llama", "llama 107 0.5"},
		"triton":                    {config.ScrapeServer{Preset: "triton"}, tritonPage, "loans", "loans 45 0.5"},
		"triton, queue of 50":       {config.ScrapeServer{Preset: "triton", MaxWaiting: 50}, tritonPage, "loans", "loans 45 0.8"},
		"triton, queue overflowing": {config.ScrapeServer{Preset: "triton", MaxWaiting: 10}, tritonPage, "loans", "loans 45 1"},
		"a device is every model's": {config.ScrapeServer{Preset: "dcgm"}, dcgmPage, "a b", "a - 0.91, b - 0.91"},
		"a device of one model":     {config.ScrapeServer{Preset: "dcgm", Model: "b"}, dcgmPage, "a b", "b - 0.91"},
		"own names":                 {config.ScrapeServer{Requests: []string{"served"}, Saturation: []string{"busy_percent"}, Model: "m"}, "served 9\nbusy_percent 20\n", "m", "m 9 0.2"},
		"no number":                 {config.ScrapeServer{Saturation: []string{"busy"}, Requests: []string{"served"}, Model: "m"}, "busy NaN\nserved +Inf\n", "m", ""},
	} {
		parser := expfmt.NewTextParser(promodel.UTF8Validation)
		page, err := parser.TextToMetricFamilies(strings.NewReader(test.page))
		if err != nil {
			t.Fatal(err)
		}
		readings, err := namesOf(test.c).find(page, strings.Fields(test.models))
		if got := describe(readings); err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, test.want)
		}
	}
	if _, err := namesOf(config.ScrapeServer{Preset: "vllm"}).find(families{}, []string{"m"}); err == nil {
		t.Error("a page without any of the names is no failure")
	}
}

func describe(readings []Reading) string {
	var out []string
	for _, r := range readings {
		requests, saturation := "-", "-"
		if r.HasRequests {
			requests = fmt.Sprint(r.Requests)
		}
		if r.HasSaturation {
			saturation = fmt.Sprint(r.Saturation)
		}
		out = append(out, r.Model+" "+requests+" "+saturation)
	}
	return strings.Join(out, ", ")
}

func scraper(url string) *Scraper {
	c := config.Scrape{
		Every: settings.Duration(5 * time.Millisecond), Timeout: settings.Duration(time.Second), MaxBody: 4096,
		Servers: []config.ScrapeServer{{URL: url, Preset: "triton"}},
	}
	return New(c, func() []string { return []string{"loans"} }, slog.New(slog.DiscardHandler))
}

// Whatever a page does wrong is counted, named, bounded, and cured by itself.
func TestFailuresAreCountedAndForgottenWhenCured(t *testing.T) {
	var failing atomic.Pointer[http.HandlerFunc]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*failing.Load())(w, r) }))
	defer server.Close()
	s := scraper(server.URL)
	defer s.client.CloseIdleConnections()
	once := func(says string, h http.HandlerFunc) {
		t.Helper()
		failing.Store(&h)
		before := s.States()[0].Failures
		readings, err := s.read(t.Context(), s.servers[0])
		s.keep(s.servers[0], readings, err)
		state := s.States()[0]
		if failed := state.Failures > before; failed != (says != "") || !strings.Contains(state.Failure, says) {
			t.Errorf("%+v, want %q", state, says)
		}
	}
	once("500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	once("302", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) })
	once("understand", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{{{") })
	once("longer than", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("# nothing\n", 1000)) })
	once("none of the names", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "other 1\n") })
	if got := s.Readings(); len(got) != 0 {
		t.Errorf("%+v, and nothing was ever read", got)
	}
	once("", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, tritonPage) })
	if got := describe(s.Readings()); got != "loans 45 0.5" {
		t.Error(got)
	}
	s.now = func() time.Time { return time.Now().Add(time.Minute) }
	if got := s.Readings(); len(got) != 0 {
		t.Errorf("%+v is a minute old", got)
	}
}

// A page that hangs ends with the scraper, and Run leaves nothing behind.
func TestRunEndsWhileAPageHangs(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	s, done := scraper(server.URL), make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	<-asked
	cancel()
	<-done
	if n := s.States()[0].Failures; n != 0 {
		t.Errorf("%d failures, though it was we who left", n)
	}
}

// No page makes the reader fail but with an error, and what it gives is within
// its bounds.
func FuzzPage(f *testing.F) {
	for _, page := range []string{vllmPage, tritonPage, dcgmPage, "a{b=\"c\"} 1\n", "# TYPE nv_gpu_utilization histogram\nnv_gpu_utilization_bucket{le=\"1\"} 2\n"} {
		f.Add(page)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parser := expfmt.NewTextParser(promodel.UTF8Validation)
		page, err := parser.TextToMetricFamilies(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, preset := range []string{"vllm", "triton", "dcgm"} {
			readings, _ := namesOf(config.ScrapeServer{Preset: preset, MaxWaiting: 3}).find(page, []string{"loans", "llama"})
			for _, r := range readings {
				if !(r.Saturation >= 0 && r.Saturation <= 1) || r.Model != "loans" && r.Model != "llama" {
					t.Errorf("%+v", r)
				}
			}
		}
	})
}
