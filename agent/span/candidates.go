package span

import (
	"container/heap"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Why a request is told, which is its rank as well: the last goes first.
type choice int

const (
	sampled choice = iota // by its id
	slow                  // longer than nearly all before it
	failed
)

// choices are the names under which a span says it.
var choices = [...]string{sampled: signal.SpanSampled, slow: signal.SpanSlow, failed: signal.SpanError}

// candidate is a request that becomes a span unless better ones take its room.
type candidate struct {
	span    Span
	choice  choice
	place   uint64 // by which ids are chosen
	took    time.Duration
	bytes   int64
	model   signal.ModelRef
	counted time.Time // zero: it stands in no window
}

// before says that a has to make room before b does: the lower choice, of slow
// ones the shorter, of others the one that a smaller share would leave out.
func (a *candidate) before(b *candidate) bool {
	switch {
	case a.choice != b.choice:
		return a.choice < b.choice
	case a.choice == slow && a.took != b.took:
		return a.took < b.took
	}
	return a.place > b.place
}

// candidates are those of the moment, the first to make room on top.
type candidates struct {
	list  byRank
	bytes int64
}

type byRank []*candidate

func (l byRank) Len() int           { return len(l) }
func (l byRank) Less(i, k int) bool { return l[i].before(l[k]) }
func (l byRank) Swap(i, k int)      { l[i], l[k] = l[k], l[i] }
func (l *byRank) Push(x any)        { *l = append(*l, x.(*candidate)) }

func (l *byRank) Pop() any {
	all := *l
	last := all[len(all)-1]
	all[len(all)-1] = nil
	*l = all[:len(all)-1]
	return last
}

// add takes a candidate and gives up as many as are too many by number or bytes,
// which may be the new one.
func (c *candidates) add(x *candidate, most int, bytes int64) (givenUp int) {
	heap.Push(&c.list, x)
	c.bytes += x.bytes
	for len(c.list) > 0 && (len(c.list) > most || c.bytes > bytes) {
		c.bytes -= heap.Pop(&c.list).(*candidate).bytes
		givenUp++
	}
	return givenUp
}

// take gives all and keeps none.
func (c *candidates) take() []*candidate {
	all := c.list
	c.list, c.bytes = nil, 0
	return all
}
