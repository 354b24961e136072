package fleet

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/signal"
)

// column is what may be added up: one feature under the same bounds, compared
// with the same baseline. Groups are compared with each other, and their bounds
// hold attribute and outcome: they are one column whatever the baseline, which
// is empty here, so that fairness is judged on all traffic also while replicas
// change over to a new one.
type column struct {
	target   signal.Target
	feature  signal.FeatureName
	bounds   signal.Digest
	baseline signal.Digest
}

// merged is the sum of windows.
type merged struct {
	piles     map[column]*pile
	summed    []summed // what ordered gave last; nil: to be worked out
	taken     []signal.WindowID
	rows      uint64
	sequences map[signal.InstanceID]*sequence
	refused   int // parts whose cells do not fit others of the same bounds
}

// sequence is what one replica sent: first and last number, how many in all.
type sequence struct{ first, last, count uint64 }

func newMerged() *merged {
	return &merged{piles: map[column]*pile{}, sequences: map[signal.InstanceID]*sequence{}}
}

// add takes complete windows in. An incomplete one becomes a hole in its
// sequence, as one that never came.
func (m *merged) add(windows []*window) {
	for _, w := range windows {
		if !w.complete() {
			continue
		}
		m.follow(w)
		m.taken = append(m.taken, w.id)
		m.rows += w.rows()
		for _, d := range w.parts {
			m.addPart(d)
		}
	}
}

func (m *merged) follow(w *window) {
	s := m.sequences[w.id.Instance]
	if s == nil {
		s = &sequence{first: w.id.Sequence}
		m.sequences[w.id.Instance] = s
	}
	s.first = min(s.first, w.id.Sequence)
	s.last = max(s.last, w.id.Sequence)
	s.count++
}

func (m *merged) addPart(d *signal.Distribution) {
	key := column{d.Target, d.Feature, d.Bounds, d.Baseline}
	if d.Target == signal.TargetGroup {
		key.baseline = ""
	}
	p := m.piles[key]
	if p == nil {
		p = newPile()
		m.piles[key] = p
	}
	m.summed = nil
	if err := p.add(d); err != nil {
		m.refused++
	}
}

// gaps counts the windows that are missing before the last one of each replica,
// given the last one that was sealed before. What is missing after it is found
// when the next one comes.
func (m *merged) gaps(before map[signal.InstanceID]uint64) uint64 {
	var missing uint64
	for instance, s := range m.sequences {
		previous, known := before[instance]
		if !known || previous >= s.first {
			previous = s.first - 1
		}
		if span := s.last - previous; span > s.count {
			missing += span - s.count
		}
	}
	return missing
}

// instances gives the replicas that are in, sorted.
func (m *merged) instances() []signal.InstanceID {
	var out []signal.InstanceID
	for i := range m.sequences {
		out = append(out, i)
	}
	slices.Sort(out)
	return out
}

// summed is a column with the sum of its parts.
type summed struct {
	column
	sum *signal.Distribution
}

// ordered gives the sums in a fixed order, so that equal windows give equal rows.
func (m *merged) ordered() []summed {
	if m.summed != nil {
		return m.summed
	}
	m.summed = make([]summed, 0, len(m.piles))
	for c, p := range m.piles {
		sum, err := p.sum()
		if err != nil {
			m.refused++
			delete(m.piles, c)
			continue
		}
		m.summed = append(m.summed, summed{c, sum})
	}
	slices.SortFunc(m.summed, func(a, b summed) int {
		return cmp.Or(cmp.Compare(a.target, b.target), cmp.Compare(a.feature, b.feature),
			cmp.Compare(a.baseline, b.baseline), cmp.Compare(a.bounds, b.bounds))
	})
	return m.summed
}
