package spool

import "time"

// memory knows the keys of requests that were taken. A key of a waiting record
// with a sender's name has no end; all others expire.
type memory struct {
	limit     int
	expires   map[key]int64 // unix seconds; 0: while the record waits
	queues    [2][]expiry   // oldest first: [0] by content, [1] by sender's name
	forgotten uint64        // dropped before their time, because of limit
}

type expiry struct {
	key key
	at  int64
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, expires: map[key]int64{}}
}

// knows says whether a request with this key was taken before.
func (m *memory) knows(k key, now time.Time) bool {
	at, ok := m.expires[k]
	return ok && (at == 0 || at > now.Unix())
}

// clock is the time by which repeats are known: the time of day when the spool
// was opened, and what has passed since. A clock that is set an hour ahead or back
// meanwhile must not make the spool forget, or remember too long.
func (s *Spool) clock() time.Time { return s.began.Add(s.o.Now().Sub(s.began)) }

// hold remembers a waiting record's key: without end where the sender named
// it, for the given time after it came otherwise.
func (m *memory) hold(r *Record, came time.Time, content time.Duration) {
	if r.named {
		m.expires[r.key] = 0
		return
	}
	m.keep(expiry{r.key, came.Add(content).Unix()}, false, came)
}

// release tells when a confirmed record's key ends, and remembers it so.
// Nothing is to be remembered about a content that came long ago.
func (m *memory) release(r *Record, sender time.Duration, now time.Time) (expiry, bool) {
	if !r.named {
		e := expiry{r.key, m.expires[r.key]}
		return e, e.at > now.Unix() // hold queued it already
	}
	e := expiry{r.key, now.Add(sender).Unix()}
	m.keep(e, true, now)
	return e, true
}

// keep remembers a key until its end and drops what is over.
func (m *memory) keep(e expiry, named bool, now time.Time) {
	q := 0
	if named {
		q = 1
	}
	m.expires[e.key] = e.at
	m.queues[q] = append(m.queues[q], e)
	m.sweep(&m.queues[q], now)
}

func (m *memory) sweep(q *[]expiry, now time.Time) {
	list, drop := *q, 0
	for drop < len(list) && (list[drop].at <= now.Unix() || len(list)-drop > m.limit) {
		e := list[drop]
		if m.expires[e.key] == e.at { // not renewed since
			delete(m.expires, e.key)
			if e.at > now.Unix() {
				m.forgotten++
			}
		}
		drop++
	}
	if list = list[drop:]; drop > 0 && cap(list) > 2*len(list)+64 {
		list = append([]expiry(nil), list...) // give the memory back
	}
	*q = list
}

// live gives every key that has an end in the future, with whether it is a
// sender's.
func (m *memory) live(now time.Time, visit func(e expiry, named bool)) {
	for q := range m.queues {
		for _, e := range m.queues[q] {
			if e.at > now.Unix() && m.expires[e.key] == e.at {
				visit(e, q == 1)
			}
		}
	}
}
