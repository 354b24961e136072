package fleet

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// pile collects the parts of one column: a sum for each rate that rows were kept
// at, since a row of a tenth counts for ten.
type pile struct {
	byRate map[float64]*signal.Distribution
	eras   map[signal.Digest]era // of a group column: the baselines that it was counted under
	held   map[signal.InstanceID]held
}

// era is when a baseline was in use: ends of the first and the last window.
type era struct{ first, last time.Time }

// held is what a replica holds back after its last window. It is what is left
// over, not what has come: windows of one replica do not add up.
type held struct{ sequence, rows uint64 }

func newPile() *pile {
	return &pile{byRate: map[float64]*signal.Distribution{}}
}

// add takes a part in. It refuses one whose cells do not fit the others'.
func (p *pile) add(d *signal.Distribution) error {
	rate := d.Rate
	if rate == 0 {
		rate = 1
	}
	if sum := p.byRate[rate]; sum == nil {
		p.byRate[rate] = d.Clone()
	} else if err := sum.Merge(d); err != nil {
		return err
	}
	if d.Target == signal.TargetGroup {
		p.note(d)
	}
	return nil
}

// note keeps what of a part of a group column does not add up.
func (p *pile) note(d *signal.Distribution) {
	if p.eras == nil {
		p.eras, p.held = map[signal.Digest]era{}, map[signal.InstanceID]held{}
	}
	if e, known := p.eras[d.Baseline]; known {
		p.eras[d.Baseline] = era{first: earlier(e.first, d.End), last: later(e.last, d.End)}
	} else if d.Baseline != "" {
		p.eras[d.Baseline] = era{first: d.End, last: d.End}
	}
	if h := p.held[d.Window.Instance]; h.sequence <= d.Window.Sequence {
		p.held[d.Window.Instance] = held{d.Window.Sequence, d.Held}
	}
}

// sum blends the sums of all rates, the smallest first, so that the same parts
// give the same counts. The result is the caller's.
func (p *pile) sum() (*signal.Distribution, error) {
	parts := make([]*signal.Distribution, 0, len(p.byRate))
	for _, rate := range slices.Sorted(maps.Keys(p.byRate)) {
		parts = append(parts, p.byRate[rate])
	}
	sum, err := signal.Blend(parts)
	if err != nil || sum.Target != signal.TargetGroup {
		return sum, err
	}
	sum.Baseline, sum.Held = p.newestBaseline(), 0
	for _, h := range p.held {
		sum.Held += h.rows
	}
	return sum, nil
}

// newestBaseline is the one whose last window ended last; of such, the one whose
// first did; of such, any, but always the same. A replica without a baseline has
// none to offer.
func (p *pile) newestBaseline() signal.Digest {
	var newest signal.Digest
	for digest, e := range p.eras {
		n := p.eras[newest]
		if newest == "" || cmp.Or(e.last.Compare(n.last), e.first.Compare(n.first), cmp.Compare(digest, newest)) > 0 {
			newest = digest
		}
	}
	return newest
}
