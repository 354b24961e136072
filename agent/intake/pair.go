package intake

import (
	"container/list"
	"maps"
	"time"
)

// pair is an exchange of which one half came, or both. It stands in the list of
// those that wait, or of those that are done, in the order of arrival.
type pair struct {
	first   event     // without its body when done
	arrived time.Time // the first half; when done, the second
	held    int64     // bytes
	large   bool      // the first half's body was too large to be kept
	done    bool
	at      *list.Element
}

// oldest gives the pair that has stood longest in a list; nil: it is empty.
func oldest(l *list.List) *pair {
	if e := l.Front(); e != nil {
		return e.Value.(*pair)
	}
	return nil
}

// pair brings an event together with its other half, or lets it wait. What was
// reserved for it, overhead and its body, is the pair's from here on.
func (i *Intake) pair(e *event, tooLarge bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held := overhead + int64(cap(e.body))
	if i.closed {
		i.held -= held
		i.counts(e.key.model).decide(func(c *Counts) { c.Unpaired++ })
		return
	}
	other := i.pairs[e.key]
	switch {
	case other == nil:
		p := &pair{first: *e, arrived: i.o.Clock(), held: held, large: tooLarge}
		p.at = i.waiting.PushBack(p)
		i.pairs[e.key] = p
		i.nudge()
	case other.done || other.first.half == e.half:
		i.held -= held
		i.refused[RefusedDuplicate]++
	default:
		i.complete(other, e, held, tooLarge)
	}
}

// complete hands a whole exchange over. Its pair is remembered without bodies.
// The caller holds mu.
func (i *Intake) complete(p *pair, e *event, held int64, tooLarge bool) {
	now := i.o.Clock()
	asked, answered := &p.first, e
	if e.half == request {
		asked, answered = e, &p.first
	}
	x := &Exchange{
		Model: e.key.model, ID: e.key.id, Trace: asked.trace, Start: asked.time, End: answered.time,
		Request:  Message{asked.body, asked.encoding},
		Response: Message{answered.body, answered.encoding},
		held:     p.held + held - overhead,
	}
	if x.End.IsZero() || x.End.After(now) || now.Sub(x.End) > 2*i.o.Wait {
		x.End = now // a clock that is far off says nothing
	}
	lost := p.large || tooLarge
	i.waiting.Remove(p.at)
	p.first.body = nil
	p.arrived, p.held, p.done, p.at = now, overhead, true, i.done.PushBack(p)
	i.counts(x.Model).decide(func(c *Counts) {
		if lost {
			c.TooLarge++
			i.held -= x.held
			return
		}
		select {
		case i.queue <- x:
			c.Captured++
		default:
			c.QueueFull++
			i.held -= x.held
		}
	})
}

// expire counts what has waited too long, forgets what is remembered for long
// enough, and says when that is to be done again.
func (i *Intake) expire() (next time.Duration, any bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.o.Clock()
	due := func(p *pair) bool { return p != nil && now.Sub(p.arrived) >= i.o.Wait }
	for due(oldest(&i.waiting)) {
		i.giveUp(oldest(&i.waiting))
	}
	for due(oldest(&i.done)) {
		i.forget(oldest(&i.done))
	}
	for _, p := range []*pair{oldest(&i.waiting), oldest(&i.done)} {
		if p == nil {
			continue
		}
		if wait := i.o.Wait - now.Sub(p.arrived); !any || wait < next {
			next, any = wait, true
		}
	}
	return next, any
}

// giveUp counts a half that waited in vain. The caller holds mu.
func (i *Intake) giveUp(p *pair) {
	i.waiting.Remove(p.at)
	delete(i.pairs, p.first.key)
	i.held -= p.held
	i.counts(p.first.key.model).decide(func(c *Counts) {
		if p.large {
			c.TooLarge++
		} else {
			c.Unpaired++
		}
	})
}

// forget lets go of an exchange that is done. The caller holds mu.
func (i *Intake) forget(p *pair) {
	i.done.Remove(p.at)
	delete(i.pairs, p.first.key)
	i.held -= p.held
}

// Close counts the halves that still wait as unpaired; what comes later is
// counted so as well. Drain is to have returned. Idempotent.
func (i *Intake) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	for p := oldest(&i.waiting); p != nil; p = oldest(&i.waiting) {
		i.giveUp(p)
	}
	for p := oldest(&i.done); p != nil; p = oldest(&i.done) {
		i.forget(p)
	}
}

// reserve counts n bytes as held; false where there is no room. What is only
// remembered makes room.
func (i *Intake) reserve(n int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	for p := oldest(&i.done); p != nil && i.held+n > i.o.Queue; p = oldest(&i.done) {
		i.forget(p)
	}
	if i.held+n > i.o.Queue {
		return false
	}
	i.held += n
	return true
}

func (i *Intake) release(n int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.held -= n
}

// nudge tells Drain that something waits. The caller holds mu.
func (i *Intake) nudge() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// counts finds or makes a model's counts. The caller holds mu.
func (i *Intake) counts(model string) *Counts {
	c := i.models[model]
	if c == nil {
		c = &Counts{}
		i.models[model] = c
	}
	return c
}

// decide counts an exchange whose fate is decided.
func (c *Counts) decide(how func(*Counts)) {
	c.Seen++
	how(c)
}

func (i *Intake) drop(model string, how func(*Counts)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.counts(model).decide(how)
}

func (i *Intake) refuse(reason string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refused[reason]++
}

// Counts gives the running counts of one model.
func (i *Intake) Counts(model string) Counts {
	i.mu.Lock()
	defer i.mu.Unlock()
	return *i.counts(model)
}

// Refused gives the events that were not counted for any model, by reason.
func (i *Intake) Refused() map[string]uint64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.refused)
}

// Held gives the bytes that are held now.
func (i *Intake) Held() int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.held
}
