package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

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
	columns   map[column]*signal.Distribution
	eras      map[column]map[signal.Digest]era // of group columns: the baselines they were counted under
	taken     []signal.WindowID
	rows      uint64
	sequences map[signal.InstanceID]*sequence
	refused   int // parts whose cells do not fit others of the same bounds
}

// era is when a baseline was in use: ends of the first and the last window.
type era struct{ first, last time.Time }

// sequence is what one replica sent: first and last number, how many in all.
type sequence struct{ first, last, count uint64 }

func newMerged() *merged {
	return &merged{
		columns: map[column]*signal.Distribution{}, eras: map[column]map[signal.Digest]era{},
		sequences: map[signal.InstanceID]*sequence{},
	}
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
	sum := m.columns[key]
	if sum == nil {
		own := *d
		own.Counts, own.Groups = slices.Clone(d.Counts), slices.Clone(d.Groups)
		sum, m.columns[key] = &own, &own
	} else if err := sum.Merge(d); err != nil {
		m.refused++
		return
	}
	if d.Target == signal.TargetGroup {
		sum.Baseline = m.newestBaseline(key, d)
	}
}

// newestBaseline notes that a part of a group column was counted under its
// baseline and gives the newest of the column: the one whose last window ended
// last; of such, the one whose first did; of such, any, but always the same. A
// replica without a baseline has none to offer.
func (m *merged) newestBaseline(key column, d *signal.Distribution) signal.Digest {
	eras := m.eras[key]
	if eras == nil {
		eras = map[signal.Digest]era{}
		m.eras[key] = eras
	}
	if e, known := eras[d.Baseline]; known {
		eras[d.Baseline] = era{first: earlier(e.first, d.End), last: later(e.last, d.End)}
	} else if d.Baseline != "" {
		eras[d.Baseline] = era{first: d.End, last: d.End}
	}
	var newest signal.Digest
	for digest, e := range eras {
		n := eras[newest]
		if newest == "" || cmp.Or(e.last.Compare(n.last), e.first.Compare(n.first), cmp.Compare(digest, newest)) > 0 {
			newest = digest
		}
	}
	return newest
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

// ordered gives the columns in a fixed order, so that equal windows give equal
// rows.
func (m *merged) ordered() []column {
	out := make([]column, 0, len(m.columns))
	for c := range m.columns {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b column) int {
		return strings.Compare(
			string(a.target)+"\x00"+string(a.feature)+"\x00"+string(a.baseline)+"\x00"+string(a.bounds),
			string(b.target)+"\x00"+string(b.feature)+"\x00"+string(b.baseline)+"\x00"+string(b.bounds))
	})
	return out
}
