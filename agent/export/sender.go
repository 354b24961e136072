package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/signal"
)

// BatchHeader names a request for good, <instance>/<number>. A request that is
// sent again, because its answer was lost or the agent died, carries the same
// name, and the collector stores it once.
const BatchHeader = "Evenkeel-Batch"

// longestWait bounds the time between attempts, also where a server asks for
// more: when the collector is back, evidence should not be far behind.
const longestWait = 10 * time.Second

// sender forwards one kind of request from the spool to the collector, oldest
// first, each until it is acknowledged or refused for good.
type sender struct {
	kind     Kind
	spool    *spool
	instance signal.InstanceID
	retry    Retry
	now      func() time.Time
	log      *slog.Logger
	taken    *atomic.Int64 // when the collector took something last; nil: nobody asks

	aiming    sync.RWMutex // guards what follows
	client    *http.Client
	endpoint  string // without a slash at the end
	tokenFile string

	lastFailure string // the one that was logged; empty: the collector takes
}

// Retry says how long to wait between attempts.
type Retry struct {
	First time.Duration // after the first failure; 0: 500ms
	Most  time.Duration // the waits double up to this; 0: 10s, which is the limit as well
}

func (r Retry) policy() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.Multiplier = 2
	b.InitialInterval = 500 * time.Millisecond
	if r.First > 0 {
		b.InitialInterval = r.First
	}
	most := longestWait
	if r.Most > 0 {
		most = min(r.Most, longestWait)
	}
	// A wait is drawn from around the interval; the longest one counts.
	b.MaxInterval = time.Duration(float64(most) / (1 + b.RandomizationFactor))
	return b
}

// run forwards until ctx ends. Failures are retried without limit: what waits
// is bounded by the spool.
func (s *sender) run(ctx context.Context) {
	forward := func() (struct{}, error) { return struct{}{}, s.forward(ctx) }
	for ctx.Err() == nil {
		if s.spool.Counts(s.kind).Waiting == 0 {
			select {
			case <-s.spool.wake[s.kind]:
			case <-ctx.Done():
			}
			continue
		}
		_, err := backoff.Retry(ctx, forward,
			backoff.WithBackOff(s.retry.policy()), backoff.WithMaxElapsedTime(0), backoff.WithNotify(s.failed))
		if err == nil {
			s.recovered()
		}
	}
}

// drain gives every waiting request one attempt, until one fails or ctx ends.
// What is left is sent after the next start.
func (s *sender) drain(ctx context.Context) {
	for s.spool.Counts(s.kind).Waiting > 0 && ctx.Err() == nil {
		if err := s.forward(ctx); err != nil {
			s.log.Warn("the collector was not reached while stopping; the rest waits in the spool",
				"signal", s.kind, "requests", s.spool.Counts(s.kind).Waiting, "error", err)
			return
		}
	}
}

// forward sends the oldest request once. It returns nil when the request is
// out of the spool, acknowledged or put aside; an error means: try again.
func (s *sender) forward(ctx context.Context) error {
	r, number, err := s.spool.Oldest(s.kind)
	if err != nil || r == nil {
		return err
	}
	resp, err := s.post(ctx, r, number)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or not, it has nothing more to say
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case resp.StatusCode/100 == 2:
		// Taken, even if the rest of the answer was lost on the way.
		if n, why := rejected(s.kind, answer); n > 0 {
			s.spool.Reject(s.kind, number, n)
			s.log.Error("the collector dropped records of a request that it took", "signal", s.kind, "batch", s.batch(number), "records", n, "reason", why)
		}
		s.acknowledged()
		return s.spool.Done(s.kind, number)
	case err != nil:
		return fmt.Errorf("read the collector's answer: %w", err)
	case forGood(resp, answer):
		s.log.Error("the collector will never take this request; it is put aside in quarantine",
			"signal", s.kind, "batch", s.batch(number), "status", resp.Status, "answer", excerpt(answer))
		s.spool.Quarantine(s.kind, number)
		return nil
	}
	return s.refusal(resp, answer)
}

func (s *sender) post(ctx context.Context, r *request, number uint64) (*http.Response, error) {
	client, endpoint, tokenFile := s.target()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+r.Path, bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("address the collector: %w", err)
	}
	req.Header.Set("Content-Type", r.ContentType)
	if r.ContentEncoding != "" {
		req.Header.Set("Content-Encoding", r.ContentEncoding)
	}
	req.Header.Set(BatchHeader, s.batch(number))
	if tokenFile != "" {
		token, err := os.ReadFile(tokenFile) // each time: tokens are rotated
		if err != nil {
			return nil, fmt.Errorf("read export.token_file: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("send to the collector: %w", err)
	}
	return resp, nil
}

func (s *sender) batch(number uint64) string {
	return string(s.instance) + "/" + strconv.FormatUint(number, 10)
}

// refusal makes an error of an answer that may change.
func (s *sender) refusal(resp *http.Response, answer []byte) error {
	err := fmt.Errorf("the collector answered %s: %s", resp.Status, excerpt(answer))
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return fmt.Errorf("%w; put the collector's token into export.token_file, it is read again for each attempt", err)
	}
	if refusesRequest(resp.StatusCode) {
		return fmt.Errorf("%w; no OTLP server answers so: see whether export.endpoint is the collector, with https where it has TLS, and what stands between", err)
	}
	if wait := s.retryAfter(resp.Header.Get("Retry-After")); wait > 0 {
		return errors.Join(err, &backoff.RetryAfterError{Duration: wait})
	}
	return err
}

// retryAfter reads seconds or an HTTP date; 0 where there is neither.
func (s *sender) retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, at.Sub(s.now())), longestWait)
	}
	return 0
}

// failed counts an attempt and logs a failure once, until it changes.
func (s *sender) failed(err error, wait time.Duration) {
	s.spool.add(s.kind, func(c *Counts) { c.Retried++ })
	if text := err.Error(); text != s.lastFailure {
		s.lastFailure = text
		s.log.Warn("export failed; it is repeated until it succeeds", "signal", s.kind, "error", err, "next", wait, "waiting", s.spool.Counts(s.kind).Waiting)
	}
}

func (s *sender) recovered() {
	if s.lastFailure != "" {
		s.lastFailure = ""
		s.log.Info("the collector takes again", "signal", s.kind, "waiting", s.spool.Counts(s.kind).Waiting)
	}
}

func excerpt(answer []byte) string {
	const most = 200
	if len(answer) > most {
		return strconv.QuoteToASCII(string(answer[:most])) + "..."
	}
	return strconv.QuoteToASCII(string(answer))
}
