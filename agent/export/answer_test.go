package export

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
)

// A port that speaks TLS, asked without, answers 400: nothing may be given up
// for a wrong endpoint.
func TestAPlainRequestToATLSPortLosesNothing(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 2)
	var log strings.Builder
	sender := newSender(t, s, strings.Replace(server.URL, "https", "http", 1))
	sender.log = slog.New(slog.NewTextHandler(&log, nil))
	during(t, sender, "some attempts", func() bool { return s.Counts(Logs).Retried > 3 })
	if c := s.Counts(Logs); c.Quarantined != 0 || c.Waiting != 2 {
		t.Errorf("counts %+v, want both requests to wait", c)
	}
	if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, "export.endpoint") {
		t.Errorf("nobody is told:\n%s", text)
	}
}

func TestOnlyAnOTLPServerRefusesForGood(t *testing.T) {
	status := func(code int32, message string) string {
		raw, err := proto.Marshal(&spb.Status{Code: code, Message: message})
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, test := range []struct {
		name        string
		status      int
		contentType string
		body        string
		want        bool
	}{
		{"our collector", 400, "application/x-protobuf", status(3, "attribute missing"), true},
		{"too large", 413, "application/x-protobuf", status(3, "too large"), true},
		{"without a code, which OTLP allows", 400, "application/x-protobuf", status(0, "no"), true},
		{"in JSON", 400, "application/json; charset=utf-8", `{"code":3,"message":"no"}`, true},
		{"may change", 503, "application/x-protobuf", status(14, "later"), false},
		{"empty", 400, "application/x-protobuf", "", false},
		{"no protobuf", 400, "application/x-protobuf", "Bad Request", false},
		{"no code of gRPC", 400, "application/x-protobuf", status(400, "no"), false},
		{"a proxy's page", 413, "text/html", "<html>413 Request Entity Too Large</html>", false},
		{"protobuf that is not said to be", 400, "", status(3, "no"), false},
		{"a gateway's JSON", 400, "application/json", `{"message":"Bad Request"}`, false},
		{"a gateway's JSON with HTTP's code", 415, "application/json", `{"code":415,"message":"Unsupported Media Type"}`, false},
		{"other JSON", 422, "application/json", `{"code":3,"error":"no"}`, false},
		{"broken JSON", 400, "application/json", `{`, false},
	} {
		resp := &http.Response{StatusCode: test.status, Header: http.Header{"Content-Type": {test.contentType}}}
		if got := forGood(resp, []byte(test.body)); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestWaitsDoubleUpToTheirLimit(t *testing.T) {
	for name, test := range map[string]struct {
		retry Retry
		most  time.Duration
	}{
		"default":             {Retry{}, 10 * time.Second},
		"shorter":             {Retry{Most: time.Second}, time.Second},
		"longer than allowed": {Retry{Most: time.Hour}, 10 * time.Second},
	} {
		b, longest := test.retry.policy(), time.Duration(0)
		for range 1000 {
			longest = max(longest, b.NextBackOff())
		}
		if longest > test.most || longest < test.most*9/10 {
			t.Errorf("%s: the longest of 1,000 waits is %s, want nearly %s", name, longest, test.most)
		}
	}
}
