package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/evenkeel/evenkeel/signal"
)

const (
	recordsPerRequest = 3
	giveUpEvery       = 11 // every so manieth request is abandoned after its first failure
)

// journal is what the senders know: which ids were sent, and which were
// acknowledged.
type journal struct {
	mu    sync.Mutex
	sent  map[string]bool
	acked map[string]bool
}

func (j *journal) note(ids []string, acked bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range ids {
		j.sent[id] = true
		if acked {
			j.acked[id] = true
		}
	}
}

func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.acked)
}

// senders post requests one after the other, each until it is acknowledged:
// one names its requests with the Evenkeel-Batch header, one does not.
type senders struct {
	journal journal
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

func startSenders(t *testing.T, addr string) *senders {
	ctx, cancel := context.WithCancel(context.Background())
	s := &senders{journal: journal{sent: map[string]bool{}, acked: map[string]bool{}}, cancel: cancel}
	for _, named := range []bool{true, false} {
		sender := &sender{url: "http://" + addr + "/v1/logs", named: named, name: fmt.Sprintf("named-%t", named), journal: &s.journal}
		s.wg.Go(func() { sender.run(ctx) })
	}
	t.Cleanup(s.finish)
	return s
}

// finish stops sending; a request under way is not acknowledged any more.
func (s *senders) finish() {
	s.cancel()
	s.wg.Wait()
}

// waitFor polls until so many more ids are acknowledged.
func (s *senders) waitFor(t *testing.T, more int) {
	t.Helper()
	s.waitForReviving(t, nil, more)
}

// waitForReviving is waitFor with a collector that may have ended by itself
// and is started again then.
func (s *senders) waitForReviving(t *testing.T, site *site, more int) {
	t.Helper()
	want := s.journal.count() + more
	until := time.Now().Add(deadline)
	for s.journal.count() < want {
		if time.Now().After(until) {
			t.Fatalf("%d ids are acknowledged, want %d", s.journal.count(), want)
		}
		if site != nil {
			site.revive()
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type sender struct {
	url     string
	name    string
	named   bool
	journal *journal
	client  http.Client
}

func (s *sender) run(ctx context.Context) {
	s.client = http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
	defer s.client.CloseIdleConnections()
	for n := 1; ctx.Err() == nil; n++ {
		ids := make([]string, recordsPerRequest)
		for i := range ids {
			ids[i] = fmt.Sprintf("%s/%d/%d", s.name, n, i)
		}
		s.journal.note(ids, false)
		body := request(ids)
		for ctx.Err() == nil {
			if s.post(ctx, n, body) {
				s.journal.note(ids, true)
				break
			}
			if n%giveUpEvery == 0 {
				break
			}
			time.Sleep(10 * time.Millisecond) // what a sender waits before it tries again
		}
	}
}

// post sends one request and says whether it was acknowledged as a whole.
func (s *sender) post(ctx context.Context, n int, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if s.named {
		req.Header.Set("Evenkeel-Batch", fmt.Sprintf("%s/%d", s.name, n))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	answer := plogotlp.NewExportResponse()
	return err == nil && resp.StatusCode == http.StatusOK &&
		answer.UnmarshalProto(raw) == nil && answer.PartialSuccess().RejectedLogRecords() == 0
}

// over is when the windows ended: not so long ago that they are refused.
var over = time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Minute)

// request is an export request with one window profile for each id, so that each
// becomes a row of two tables. The windows are long over: nobody seals them.
func request(ids []string) []byte {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(signal.KeyServiceName, "faults")
	rl.Resource().Attributes().PutStr(signal.KeySystemID, "faults")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, id := range ids {
		record := records.AppendEmpty()
		record.Body().SetStr(id)
		record.SetEventName(signal.EventWindowProfile)
		put(record.Attributes(), signal.EncodeDistribution(&signal.Distribution{
			Model: signal.ModelRef{Name: "faults"}, Feature: signal.FeatureName(id), Target: signal.TargetFeature, Kind: signal.Numeric,
			Window: signal.WindowID{Instance: "faults", Sequence: 1}, Parts: len(ids),
			Start: over.Add(-time.Minute), End: over,
			Counts: []uint64{1, 0}, N: 1, Min: math.NaN(), Max: math.NaN(),
		}))
	}
	raw, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		panic(err) // the request holds nothing but short strings
	}
	return raw
}

func put(to pcommon.Map, attrs []signal.Attr) {
	for _, a := range attrs {
		value := a.Value
		if counts, ok := value.([]int64); ok {
			list := make([]any, len(counts))
			for i, c := range counts {
				list[i] = c
			}
			value = list
		}
		if err := to.PutEmpty(a.Key).FromRaw(value); err != nil {
			panic(err) // an attribute of ours is of a type that OTLP has
		}
	}
}
