package wire

import (
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// FaultLog counts faults by model and reason, and logs one of each kind now
// and then. It is safe for concurrent use.
type FaultLog struct {
	log   *slog.Logger
	every time.Duration
	clock func() time.Time

	mu     sync.Mutex
	models map[string]map[Reason]uint64
	failed map[string]uint64 // by model
	logged map[faultKind]time.Time
}

type faultKind struct {
	model  string
	reason Reason
}

// NewFaultLog logs at most one fault of each model and reason within every;
// 0 logs all. clock nil is time.Now.
func NewFaultLog(log *slog.Logger, every time.Duration, clock func() time.Time) *FaultLog {
	if clock == nil {
		clock = time.Now
	}
	return &FaultLog{
		log: log, every: every, clock: clock,
		models: map[string]map[Reason]uint64{}, failed: map[string]uint64{}, logged: map[faultKind]time.Time{},
	}
}

// Record counts an error of Decode, or what it left out. An error that is no
// *Fault counts as bad_json and is logged without its text, which might hold
// values. Answers with an error status are counted apart and not logged: the
// model server answered so, nothing failed here.
func (l *FaultLog) Record(model string, x *Exchange, err error) {
	var f *Fault
	if !errors.As(err, &f) {
		f = &Fault{Reason: BadJSON, Outline: "decoder failed"}
	}
	if f.Reason == ErrorStatus && (x.Status < 200 || x.Status > 299) {
		l.fail(model)
		return
	}
	count, due := l.count(model, f.Reason)
	if due && f.Reason != ErrorStatus {
		l.log.Warn(message(f.Reason), "model", model, "reason", string(f.Reason), "side", f.Side, "outline", f.Outline,
			"status", x.Status, "request_bytes", len(x.Request.Body), "response_bytes", len(x.Response.Body), "so_far", count)
	}
}

func (l *FaultLog) fail(model string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed[model]++
}

// Failed gives the number of a model's exchanges whose answer was no 2xx: nothing
// was predicted in them, so they are not among Undecodable.
func (l *FaultLog) Failed(model string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed[model]
}

func message(r Reason) string {
	switch r {
	case Opaque:
		return "request not profiled, only its answer: it is no table"
	case TooWide:
		return "tensor not profiled; name its columns in inputs.columns to have it profiled"
	}
	return "payload not decoded"
}

// count adds one and says whether it is time to log this kind again.
func (l *FaultLog) count(model string, r Reason) (n uint64, due bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	byReason := l.models[model]
	if byReason == nil {
		byReason = map[Reason]uint64{}
		l.models[model] = byReason
	}
	byReason[r]++
	now, kind := l.clock(), faultKind{model, r}
	if last, ok := l.logged[kind]; ok && now.Sub(last) < l.every {
		return byReason[r], false
	}
	l.logged[kind] = now
	return byReason[r], true
}

// Undecodable gives the number of a model's exchanges that gave no observation.
func (l *FaultLog) Undecodable(model string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n uint64
	for reason, c := range l.models[model] {
		if !reason.Partial() {
			n += c
		}
	}
	return n
}

// Counts gives a copy of the counts by model and reason.
func (l *FaultLog) Counts() map[string]map[Reason]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]map[Reason]uint64, len(l.models))
	for model, byReason := range l.models {
		out[model] = maps.Clone(byReason)
	}
	return out
}
