// Package clock estimates by how much the collector's clock is ahead of this
// machine's, from the answers that the collector gives anyway.
//
//	request sent t0, answer received t1, and in it "Date: D", whole seconds
//	-> the collector's clock was somewhere in [D, D+1) at some time in [t0, t1]
//	-> offset is in (D - t1, D + 1s - t0)
//
// One answer tells the offset to within half a second and half the round trip.
// Many together tell more: the offset is in all of their intervals, and the
// answers that came right before and right after the second's turn make the
// common part narrow. Clocks drift, so an interval grows wider with its age, by
// 200 millionths, and it is forgotten after ten minutes. Where intervals
// contradict each other a clock was set: only the latest ones count then.
package clock

import (
	"net/http"
	"sync"
	"time"
)

const (
	drift  = 200e-6 // of one clock against the other; crystals are within 100 millionths each
	memory = 10 * time.Minute
	most   = 256 // intervals that are kept
)

// Offset is an estimate.
type Offset struct {
	Seconds     float64   // the collector's clock minus this one's
	Uncertainty float64   // seconds; the true offset is within Seconds ± Uncertainty, if the collector's Date is right
	At          time.Time // of the last answer
}

// Estimator gathers answers. It is safe for concurrent use.
type Estimator struct {
	now func() time.Time

	mu        sync.Mutex
	intervals []interval // oldest first
}

// interval is what one answer tells: the offset in seconds, at a time.
type interval struct {
	at        time.Time
	low, high float64
}

// New makes an estimator that knows nothing.
func New(now func() time.Time) *Estimator { return &Estimator{now: now} }

// Answer adds what an answer tells: when its request was sent, when its head was
// received, and the Date in it. A Date that is none is ignored.
func (e *Estimator) Answer(sent, received time.Time, date string) {
	d, err := http.ParseTime(date)
	if err != nil || received.Before(sent) {
		return
	}
	i := interval{at: received, low: d.Sub(received.Round(0)).Seconds(), high: d.Add(time.Second).Sub(sent.Round(0)).Seconds()}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.intervals = append(e.intervals, i)
	if len(e.intervals) > most {
		e.intervals = append(e.intervals[:0], e.intervals[1:]...)
	}
}

// Offset gives the estimate; false where no answer is young enough.
func (e *Estimator) Offset() (Offset, bool) {
	now := e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.intervals) > 0 && now.Sub(e.intervals[0].at) > memory {
		e.intervals = e.intervals[1:]
	}
	if len(e.intervals) == 0 {
		return Offset{}, false
	}
	last := e.intervals[len(e.intervals)-1]
	low, high := last.low, last.high
	for k := len(e.intervals) - 2; k >= 0; k-- {
		i := e.intervals[k]
		slack := drift * last.at.Sub(i.at).Abs().Seconds()
		l, h := max(low, i.low-slack), min(high, i.high+slack)
		if l > h { // a clock was set: what came before tells nothing
			e.intervals = e.intervals[k+1:]
			break
		}
		low, high = l, h
	}
	return Offset{Seconds: (low + high) / 2, Uncertainty: (high - low) / 2, At: last.at}, true
}

// RoundTripper tells an estimator about the answers of another one.
type RoundTripper struct {
	Next http.RoundTripper
	To   *Estimator
}

// Wrap gives a RoundTripper that tells e about next's answers.
func (e *Estimator) Wrap(next http.RoundTripper) http.RoundTripper { return &RoundTripper{next, e} }

// RoundTrip is Next's.
func (r *RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := r.To.now()
	resp, err := r.Next.RoundTrip(req)
	if err == nil {
		r.To.Answer(sent, r.To.now(), resp.Header.Get("Date"))
	}
	return resp, err
}

// CloseIdleConnections is Next's, where it has them.
func (r *RoundTripper) CloseIdleConnections() {
	if c, ok := r.Next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
