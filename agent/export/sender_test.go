package export

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	collogs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
)

func newSender(t testing.TB, s *spool, endpoint string) *sender {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	return &sender{
		kind: Logs, spool: s, client: client, endpoint: endpoint, instance: "i-1",
		retry: Retry{First: time.Millisecond, Most: 5 * time.Millisecond}, now: time.Now, log: quiet(),
	}
}

// during runs the sender while the test waits for something.
func during(t *testing.T, s *sender, what string, ok func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.run(ctx) }()
	otlptest.Eventually(t, what, ok)
	stop()
	<-done
}

// fill appends n requests whose bodies are empty OTLP requests.
func fill(t *testing.T, s *spool, n int) {
	t.Helper()
	for range n {
		if err := s.Append(req(Logs, "")); err != nil {
			t.Fatal(err)
		}
	}
}

func batches(requests []otlptest.Request) string {
	var names []string
	for _, r := range requests {
		names = append(names, r.Batch)
	}
	return strings.Join(names, " ")
}

func TestSenderForwardsInOrderUnderStableNames(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 3)
	during(t, newSender(t, s, receiver.URL()), "3 requests sent", func() bool { return s.Counts(Logs).Sent == 3 })
	if got := batches(receiver.Arrived()); got != "i-1/1 i-1/2 i-1/3" {
		t.Errorf("arrived %s", got)
	}
}

// Whatever a collector can answer that may change: the request is repeated
// under its name, and nothing overtakes it.
func TestSenderRepeatsUntilTheCollectorTakes(t *testing.T) {
	for _, status := range []int{401, 403, 404, 429, 500, 502, 503, 504, 302} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			var n atomic.Int64
			receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer {
				if n.Add(1) <= 3 {
					return otlptest.Answer{Status: status}
				}
				return otlptest.Answer{}
			})
			s := open(t, t.TempDir(), 1<<20)
			fill(t, s, 2)
			during(t, newSender(t, s, receiver.URL()), "2 requests sent", func() bool { return s.Counts(Logs).Sent == 2 })
			if got := batches(receiver.Arrived()); got != "i-1/1 i-1/1 i-1/1 i-1/1 i-1/2" {
				t.Errorf("arrived %s", got)
			}
			if c := s.Counts(Logs); c.Retried != 3 || c.Quarantined != 0 {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// refusal is how an OTLP server refuses a request for good.
func refusal(t testing.TB, status int) otlptest.Answer {
	body, err := proto.Marshal(&spb.Status{Code: int32(codes.InvalidArgument), Message: "no"})
	if err != nil {
		t.Error(err)
	}
	return otlptest.Answer{Status: status, ContentType: "application/x-protobuf", Body: body}
}

func TestSenderPutsAsideWhatTheCollectorWillNeverTake(t *testing.T) {
	for _, status := range []int{400, 413, 415, 422} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			receiver := otlptest.Start(t, func(r otlptest.Request) otlptest.Answer {
				if r.Batch == "i-1/1" {
					return refusal(t, status)
				}
				return otlptest.Answer{}
			})
			folder := t.TempDir()
			s := open(t, folder, 1<<20)
			fill(t, s, 2)
			during(t, newSender(t, s, receiver.URL()), "the second request sent", func() bool { return s.Counts(Logs).Sent == 1 })
			if got := batches(receiver.Accepted()); got != "i-1/2" || s.Counts(Logs).Quarantined != 1 {
				t.Errorf("accepted %q, counts %+v", got, s.Counts(Logs))
			}
			if files, _ := os.ReadDir(filepath.Join(folder, quarantineIn)); len(files) != 1 {
				t.Errorf("%d files in quarantine, want 1", len(files))
			}
		})
	}
}

func TestSenderSurvivesANetworkThatIsAway(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 1)
	sender := newSender(t, s, "http://127.0.0.1:1")
	during(t, sender, "some attempts", func() bool { return s.Counts(Logs).Retried > 3 })
	sender.endpoint = receiver.URL()
	during(t, sender, "sent after all", func() bool { return s.Counts(Logs).Sent == 1 })
}

func TestSenderHonoursRetryAfter(t *testing.T) {
	s := &sender{now: func() time.Time { return time.Unix(1000, 0) }}
	for header, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-1": 0, "soon": 0, "99999": longestWait,
		time.Unix(1007, 0).UTC().Format(http.TimeFormat): 7 * time.Second,
		time.Unix(900, 0).UTC().Format(http.TimeFormat):  0,
	} {
		if got := s.retryAfter(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
	var n atomic.Int64
	receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer {
		if n.Add(1) == 1 {
			return otlptest.Answer{Status: 503, RetryAfter: "1"}
		}
		return otlptest.Answer{}
	})
	spool := open(t, t.TempDir(), 1<<20)
	fill(t, spool, 1)
	start := time.Now()
	during(t, newSender(t, spool, receiver.URL()), "sent", func() bool { return spool.Counts(Logs).Sent == 1 })
	if took := time.Since(start); took < time.Second {
		t.Errorf("repeated after %s, though the collector asked for 1s", took)
	}
}

func TestTokenIsReadForEachAttempt(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	receiver := otlptest.Start(t, func(r otlptest.Request) otlptest.Answer {
		if r.Token != "Bearer new" {
			return otlptest.Answer{Status: http.StatusUnauthorized}
		}
		return otlptest.Answer{}
	})
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 1)
	sender := newSender(t, s, receiver.URL())
	sender.tokenFile = token
	during(t, sender, "the missing file noticed", func() bool { return s.Counts(Logs).Retried > 0 })
	if len(receiver.Arrived()) != 0 {
		t.Error("a request was sent without the token")
	}
	write("old\n")
	during(t, sender, "a refusal", func() bool { return len(receiver.Arrived()) > 0 })
	write("new\n")
	during(t, sender, "sent", func() bool { return s.Counts(Logs).Sent == 1 })
}

func TestRedirectsAreNotFollowedWithTheToken(t *testing.T) {
	client, err := newClient(defaultExport("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	if client.CheckRedirect(nil, nil) != http.ErrUseLastResponse {
		t.Error("redirects are followed")
	}
}

func TestPartialSuccessIsCounted(t *testing.T) {
	answer, err := proto.Marshal(&collogs.ExportLogsServiceResponse{
		PartialSuccess: &collogs.ExportLogsPartialSuccess{RejectedLogRecords: 3, ErrorMessage: "no n"},
	})
	if err != nil {
		t.Fatal(err)
	}
	receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer { return otlptest.Answer{Body: answer} })
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 1)
	during(t, newSender(t, s, receiver.URL()), "sent", func() bool { return s.Counts(Logs).Sent == 1 })
	if n := s.Counts(Logs).Rejected; n != 3 {
		t.Errorf("%d records counted as rejected, want 3", n)
	}
}

// The answer is lost after the collector took the request: it is sent again
// under the same name.
func TestLostAnswerIsRepeatedUnderTheSameName(t *testing.T) {
	hold := make(chan struct{})
	var n atomic.Int64
	receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer {
		if n.Add(1) == 1 {
			return otlptest.Answer{Hold: hold}
		}
		return otlptest.Answer{}
	})
	defer close(hold)
	folder := t.TempDir()
	s := open(t, folder, 1<<20)
	fill(t, s, 1)
	during(t, newSender(t, s, receiver.URL()), "a request under way", func() bool { return n.Load() == 1 })
	s = open(t, folder, 1<<20) // the agent died and came back
	during(t, newSender(t, s, receiver.URL()), "sent", func() bool { return s.Counts(Logs).Sent == 1 })
	if got := batches(receiver.Arrived()); got != "i-1/1 i-1/1" {
		t.Errorf("arrived %s", got)
	}
}

func TestDrainStopsAtTheFirstFailure(t *testing.T) {
	receiver := otlptest.Start(t, func(r otlptest.Request) otlptest.Answer {
		if r.Batch == "i-1/2" {
			return otlptest.Answer{Status: 503}
		}
		return otlptest.Answer{}
	})
	s := open(t, t.TempDir(), 1<<20)
	fill(t, s, 3)
	newSender(t, s, receiver.URL()).drain(context.Background())
	if got := batches(receiver.Arrived()); got != "i-1/1 i-1/2" || s.Counts(Logs).Waiting != 2 {
		t.Errorf("arrived %s, %d waiting", got, s.Counts(Logs).Waiting)
	}
}
