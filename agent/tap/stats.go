package tap

import (
	"sync"
	"sync/atomic"
)

// dropReason says why a wanted exchange was not captured.
type dropReason uint8

const (
	noReason dropReason = iota
	queueFull
	tooLarge
	aborted
	upgraded
	streamed
	leftOut     // no loss: Choose said so
	overCeiling // likewise
	dropReasons
)

// counters count by model what happens to wanted requests.
type counters struct {
	models      sync.Map // string -> *modelCounters
	panics      atomic.Uint64
	unreachable atomic.Uint64
}

type modelCounters struct {
	seen, captured, failed atomic.Uint64
	dropped                [dropReasons]atomic.Uint64
}

// of finds or makes a model's counters. Wanted bounds the models.
func (c *counters) of(model string) *modelCounters {
	if m, ok := c.models.Load(model); ok {
		return m.(*modelCounters)
	}
	m, _ := c.models.LoadOrStore(model, new(modelCounters))
	return m.(*modelCounters)
}

// Counts are the running counts of one model's requests. Those still under way
// are not in them: Seen = Captured + LeftOut + OverCeiling + Dropped().
type Counts struct {
	Seen      uint64 // wanted requests that have ended, without Failed
	Failed    uint64 // answered, and not with 2xx: nothing was predicted, and nothing of it is lost
	Captured  uint64 // handed to Drain, or waiting for it
	QueueFull uint64 // not captured: no room
	TooLarge  uint64 // not captured: a body beyond MaxBody
	Aborted   uint64 // not captured: client or model server broke off
	Upgraded  uint64 // not captured: the connection changed its protocol
	Streamed  uint64 // not captured: a gRPC call of many messages that is no stream of predictions, an answer that no message of one waits for, or the oldest of too many that wait

	LeftOut, OverCeiling uint64 // not captured, and not lost: Choose said so
}

// Dropped gives how many requests were not captured, for any reason.
func (c Counts) Dropped() uint64 {
	return c.QueueFull + c.TooLarge + c.Aborted + c.Upgraded + c.Streamed
}

// Counts gives the running counts of one model.
func (t *Tap) Counts(model string) Counts {
	m := t.counters.of(model)
	return Counts{
		QueueFull: m.dropped[queueFull].Load(),
		TooLarge:  m.dropped[tooLarge].Load(),
		Aborted:   m.dropped[aborted].Load(),
		Upgraded:  m.dropped[upgraded].Load(),
		Streamed:  m.dropped[streamed].Load(),
		LeftOut:   m.dropped[leftOut].Load(), OverCeiling: m.dropped[overCeiling].Load(),
		Captured: m.captured.Load(),
		Failed:   m.failed.Load(),
		Seen:     m.seen.Load(),
	}
}

// Stats are the counts of the tap as a whole.
type Stats struct {
	Models      map[string]Counts
	Held        int64  // bytes of memory that copies hold now
	Bound       int64  // bytes that they may hold
	Waiting     int    // copies that wait for Drain
	Unreachable uint64 // requests, wanted or not, that the model server gave no answer to
	Panics      uint64 // recovered in the capture and its consumer; should be 0
}

// Stats gives the counts as they are now.
func (t *Tap) Stats() Stats {
	s := Stats{
		Models: map[string]Counts{}, Held: t.memory.lent.Load(), Bound: t.memory.bound, Waiting: len(t.queue),
		Unreachable: t.counters.unreachable.Load(), Panics: t.counters.panics.Load(),
	}
	t.counters.models.Range(func(model, _ any) bool {
		s.Models[model.(string)] = t.Counts(model.(string))
		return true
	})
	return s
}
