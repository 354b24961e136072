package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const (
	itemsPerRequest = 3
	giveUpEvery     = 11 // every so manieth request is abandoned after its first failure
)

// senders post requests one after the other, each until it is acknowledged:
// one names its requests with the Evenkeel-Batch header, one does not.
type senders struct {
	journal *journal
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

func startSenders(t *testing.T, addr string) *senders {
	ctx, cancel := context.WithCancel(context.Background())
	s := &senders{journal: newJournal(), cancel: cancel}
	for _, named := range []bool{true, false} {
		sender := &sender{url: "http://" + addr, named: named, name: fmt.Sprintf("named-%t", named), journal: s.journal}
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
		kind := kinds[n%len(kinds)]
		ids := make([]string, itemsPerRequest)
		for i := range ids {
			ids[i] = fmt.Sprintf("%s/%s/%d", kind, s.name, n*itemsPerRequest+i)
		}
		s.journal.note(ids, false)
		body := request(kind, ids)
		for ctx.Err() == nil {
			if s.post(ctx, n, kind, body) {
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
func (s *sender) post(ctx context.Context, n int, kind string, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+pathOf(kind), bytes.NewReader(body))
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
	return err == nil && resp.StatusCode == http.StatusOK && rejected(kind, raw) == 0
}

// rejected reads how many items an answer refuses; -1: it is none.
func rejected(kind string, raw []byte) int64 {
	switch kind {
	case kindMetrics:
		if a := pmetricotlp.NewExportResponse(); a.UnmarshalProto(raw) == nil {
			return a.PartialSuccess().RejectedDataPoints()
		}
	case kindTraces:
		if a := ptraceotlp.NewExportResponse(); a.UnmarshalProto(raw) == nil {
			return a.PartialSuccess().RejectedSpans()
		}
	default:
		if a := plogotlp.NewExportResponse(); a.UnmarshalProto(raw) == nil {
			return a.PartialSuccess().RejectedLogRecords()
		}
	}
	return -1
}
