package agent

import (
	"sync"
	"sync/atomic"

	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// sharing counts the exchanges at keys that several entries share.
type sharing struct {
	bodies *wire.BodyModel // of the one consumer

	other, unnamed atomic.Uint64 // exchanges of no entry: the body names another model, or none

	sharingMu sync.Mutex
	own       map[string]uint64      // exchanges of an entry in which something was predicted
	unknown   map[string]uint64      // such exchanges at a key whose body does not tell the model
	lost      map[string]*lossAtKeys // by entry
}

// lossAtKeys adds up what was lost at the keys that an entry has shared, while it
// shared them.
type lossAtKeys struct {
	key     string // now; empty: none
	at, sum uint64
}

// attribute finds the entry of an exchange at a shared key, and makes it its model;
// false where it is nobody's. The caller holds counting.
func (a *Agent) attribute(p *plan, x *tap.Exchange) bool {
	if !p.entries.shared[x.Model] {
		return true
	}
	predicted := x.Status >= 200 && x.Status <= 299
	if a.bodies == nil {
		a.bodies = wire.NewBodyModel(int(p.c.Tap.MaxBody))
	}
	asked, ok := a.bodies.Of((*wire.Message)(&x.Request))
	if !ok {
		a.unnamed.Add(1)
		if predicted {
			a.countAt(&a.unknown, x.Model)
		}
		return false
	}
	name, ok := p.entries.byBody(x.Model, asked)
	if !ok {
		a.other.Add(1)
		return false
	}
	x.Model = name
	if predicted {
		a.countAt(&a.own, name)
	}
	if x.Outcome != "" {
		a.exporter.Inference(a.refOf(name), string(x.Outcome), x.End.Sub(x.Start))
	}
	return true
}

func (a *Agent) countAt(counts *map[string]uint64, name string) {
	a.sharingMu.Lock()
	defer a.sharingMu.Unlock()
	if *counts == nil {
		*counts = map[string]uint64{}
	}
	(*counts)[name]++
}

// joinKey begins to count what is lost at the key that an entry shares; leaveKey
// ends it.
func (a *Agent) joinKey(m *monitored) {
	if !m.shared {
		return
	}
	a.tallyOf(m.key) // what is dropped there is shown
	a.sharingMu.Lock()
	defer a.sharingMu.Unlock()
	if a.lost == nil {
		a.lost = map[string]*lossAtKeys{}
	}
	l := a.lost[m.Name]
	if l == nil {
		l = &lossAtKeys{}
		a.lost[m.Name] = l
	}
	l.key, l.at = m.key, a.lostAt(m.key)
}

func (a *Agent) leaveKey(m *monitored) {
	a.sharingMu.Lock()
	defer a.sharingMu.Unlock()
	if l := a.lost[m.Name]; l != nil && l.key != "" {
		l.sum += a.lostAt(l.key) - l.at
		l.key = ""
	}
}

// lostAt counts the exchanges at a key of which nobody can tell whose they were.
// The caller holds sharingMu.
func (a *Agent) lostAt(key string) uint64 { return a.tap.Counts(key).Dropped() + a.unknown[key] }

// seenAtKey gives what an entry had of the exchanges at the keys that it has shared,
// and what was lost there meanwhile: that counts for every entry that it may have
// been of. Neither ever goes back.
func (a *Agent) seenAtKey(m *monitored) (seen, lost uint64) {
	a.sharingMu.Lock()
	defer a.sharingMu.Unlock()
	if l := a.lost[m.Name]; l != nil {
		lost = l.sum
		if l.key != "" {
			lost += a.lostAt(l.key) - l.at
		}
	}
	return a.own[m.Name], lost
}

// sharedFigures show the exchanges at shared URLs that are nobody's.
func (a *Agent) sharedFigures() []export.Figure {
	return []export.Figure{{
		Name: signal.MetricUnmatched, Unit: "{request}", Counter: true, About: "Requests at a URL of several models that are of none of them, by reason.",
		Read: func(tell tell) {
			tell(float64(a.other.Load()), export.Label{Key: signal.KeyReason, Value: "other_model"})
			tell(float64(a.unnamed.Load()), export.Label{Key: signal.KeyReason, Value: "unnamed"})
		},
	}}
}
