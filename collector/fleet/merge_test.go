package fleet

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

// row is one inference: a cell of a feature, and a group with its outcome.
type row struct {
	cell       int
	value      float64
	group      string
	favourable bool
}

func rowGenerator() *rapid.Generator[row] {
	return rapid.Custom(func(t *rapid.T) row {
		return row{
			cell:  rapid.IntRange(0, 4).Draw(t, "cell"), // 4: missing
			value: float64(rapid.IntRange(-100, 100).Draw(t, "value")),
			group: rapid.SampledFrom([]string{"female", "male", signal.GroupUnknown}).Draw(t, "group"), favourable: rapid.Bool().Draw(t, "favourable"),
		}
	})
}

// profile counts rows as an agent does: one distribution for the feature, one
// for the groups.
func profile(id signal.WindowID, end time.Time, rows []row) []*signal.Distribution {
	base := signal.Distribution{
		System: "s", Model: signal.ModelRef{Name: "m", Version: "1"}, Window: id, Start: end.Add(-time.Second), End: end,
		Parts: 2, Bounds: "sha256:b", Baseline: "sha256:c", Min: math.NaN(), Max: math.NaN(),
	}
	feature, groups := base, base
	feature.Target, feature.Feature, feature.Kind, feature.Counts = signal.TargetFeature, "income", signal.Numeric, make([]uint64, 4)
	groups.Target, groups.Feature, groups.Bounds = signal.TargetGroup, "gender", "sha256:g"
	table := map[string]*signal.GroupCount{}
	for _, r := range rows {
		feature.N++
		if r.cell == 4 {
			feature.Missing++
		} else {
			feature.Counts[r.cell]++
			feature.Sum += r.value
			feature.SumSquares += r.value * r.value
			feature.Min, feature.Max = least(feature.Min, r.value), -least(-feature.Max, -r.value)
		}
		if table[r.group] == nil {
			table[r.group] = &signal.GroupCount{Group: r.group}
		}
		table[r.group].Total++
		if r.favourable {
			table[r.group].Favourable++
		}
	}
	for _, name := range []string{signal.GroupUnknown, "female", "male"} {
		if g := table[name]; g != nil {
			groups.Groups = append(groups.Groups, *g)
		}
	}
	return []*signal.Distribution{&feature, &groups}
}

func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

// However rows are dealt out over replicas and windows, and in whichever order
// the parts come, the sum is that of all rows in one window: of one for each rate
// that rows were kept at, where replicas differ in that.
func TestAnySplitIsTheWhole(t *testing.T) {
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rowGenerator(), 0, 60).Draw(t, "rows")
		replicas, windows := rapid.IntRange(1, 4).Draw(t, "replicas"), rapid.IntRange(1, 5).Draw(t, "windows")
		rates := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 0.25}), replicas, replicas).Draw(t, "rates")
		dealt, byRate := map[signal.WindowID][]row{}, map[float64][]row{}
		for _, r := range rows {
			replica := rapid.IntRange(1, replicas).Draw(t, "replica")
			id := signal.WindowID{Instance: signal.InstanceID(fmt.Sprint(replica)), Sequence: uint64(rapid.IntRange(1, windows).Draw(t, "window"))}
			dealt[id] = append(dealt[id], r)
			rate := cmp.Or(rates[replica-1], 1)
			byRate[rate] = append(byRate[rate], r)
		}
		var parts, one []*signal.Distribution
		for id, some := range dealt {
			replica, _ := strconv.Atoi(string(id.Instance))
			parts = append(parts, at(rates[replica-1], profile(id, end.Add(-time.Duration(windows-int(id.Sequence))*time.Second), some))...)
		}
		for rate, some := range byRate {
			one = append(one, at(rate, profile(signal.WindowID{Instance: signal.InstanceID(fmt.Sprint(rate)), Sequence: 1}, end, some))...)
		}
		parts = rapid.Permutation(parts).Draw(t, "order")
		key := lane{"s", signal.ModelRef{Name: "m", Version: "1"}}
		split, whole := newMerged(), newMerged()
		split.add(assemble(parts)[key])
		whole.add(assemble(one)[key])
		sums := columns(split)
		if split.rows != whole.rows || split.rows != uint64(len(rows)) || len(sums) != len(whole.ordered()) || split.refused != 0 {
			t.Fatalf("%d rows in %d columns, the whole has %d in %d", split.rows, len(sums), whole.rows, len(whole.ordered()))
		}
		for c, want := range columns(whole) {
			got := sums[c]
			if got == nil || !slices.Equal(got.Counts, want.Counts) || got.Missing != want.Missing || got.N != want.N ||
				!slices.Equal(got.Groups, want.Groups) || got.Sum != want.Sum || got.SumSquares != want.SumSquares ||
				!same(got.Min, want.Min) || !same(got.Max, want.Max) {
				t.Fatalf("%v:\n%+v\nis not the whole\n%+v", c, got, want)
			}
		}
	})
}

// at says at which rate the rows of a window were kept.
func at(rate float64, parts []*signal.Distribution) []*signal.Distribution {
	for _, d := range parts {
		d.Rate = rate
	}
	return parts
}

func columns(m *merged) map[column]*signal.Distribution {
	out := map[column]*signal.Distribution{}
	for _, c := range m.ordered() {
		out[c.column] = c.sum
	}
	return out
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestOtherBoundsAreNeverAdded(t *testing.T) {
	end := time.Unix(100, 0)
	one := profile(signal.WindowID{Instance: "a", Sequence: 1}, end, []row{{cell: 1, group: "male"}})
	two := profile(signal.WindowID{Instance: "b", Sequence: 1}, end, []row{{cell: 2, group: "male"}})
	two[0].Bounds = "sha256:other"
	m := newMerged()
	m.add(assemble(append(one, two...))[lane{"s", one[0].Model}])
	if len(m.ordered()) != 3 || m.rows != 2 {
		t.Fatalf("%d columns, %d rows", len(m.ordered()), m.rows)
	}
	for c, d := range columns(m) {
		if c.target == signal.TargetFeature && d.N != 1 {
			t.Errorf("%v holds %d rows", c, d.N)
		}
	}
}

// Gaps are what is missing from the sequences, whatever came, in what order.
func TestGapsLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.Uint64Range(0, 5).Draw(t, "before")
		sent := rapid.Uint64Range(1, 12).Draw(t, "sent")
		lost := rapid.SliceOfNDistinct(rapid.Uint64Range(1, sent), 0, int(sent), rapid.ID).Draw(t, "lost")
		slices.Sort(lost)
		m, known := newMerged(), map[signal.InstanceID]uint64{}
		if before > 0 {
			known["a"] = before
		}
		var want, last uint64
		var windows []*window
		for n := uint64(1); n <= sent; n++ {
			if _, gone := slices.BinarySearch(lost, n); gone {
				continue
			}
			windows = append(windows, &window{id: signal.WindowID{Instance: "a", Sequence: before + n}})
			if before == 0 && last == 0 {
				last = n - 1 // nobody knows of the ones before the first
			}
			want += n - last - 1
			last = n
		}
		m.add(windows)
		if got := m.gaps(known); got != want {
			t.Fatalf("after %d, %d sent without %v: %d gaps, want %d", before, sent, lost, got, want)
		}
	})
}

func TestSlotEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := time.Duration(rapid.Int64Range(1, 40*86400).Draw(t, "seconds")) * time.Second
		at := time.Unix(0, rapid.Int64Range(-1e18, 2e18).Draw(t, "at"))
		end := slotEnd(at, length)
		if end.UnixNano()%int64(length) != 0 || end.Before(at) || !end.Add(-length).Before(at) {
			t.Fatalf("%s is in the slot of %s that ends at %s", at, length, end)
		}
	})
}

func TestIncompleteWindowsAreGaps(t *testing.T) {
	end := time.Unix(100, 0)
	parts := profile(signal.WindowID{Instance: "a", Sequence: 1}, end, []row{{cell: 1, group: "male"}})
	again := *parts[0]
	next := profile(signal.WindowID{Instance: "a", Sequence: 3}, end, []row{{cell: 1, group: "male"}})
	before := map[signal.InstanceID]uint64{"a": 0}
	for name, c := range map[string]struct {
		parts []*signal.Distribution
		gaps  uint64
		rows  uint64
	}{
		"whole":     {parts, 0, 1},
		"a part":    {append(parts[:1:1], next...), 2, 1},
		"twice":     {append(parts[:2:2], &again), 0, 1},
		"one twice": {append([]*signal.Distribution{parts[0], &again}, next...), 2, 1},
	} {
		m := newMerged()
		m.add(assemble(c.parts)[lane{"s", parts[0].Model}])
		if m.rows != c.rows || m.gaps(before) != c.gaps {
			t.Errorf("%s: %d rows, %d gaps", name, m.rows, m.gaps(before))
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	end := time.Unix(100, 0)
	var parts []*signal.Distribution
	for i := range 1000 {
		parts = append(parts, profile(signal.WindowID{Instance: signal.InstanceID(fmt.Sprint(i % 4)), Sequence: uint64(i / 4)}, end, []row{{cell: 1, group: "male"}})...)
	}
	for _, d := range parts {
		if d.Target == signal.TargetFeature {
			d.Counts = make([]uint64, 40)
			d.Counts[7], d.N = 1, 1
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		m := newMerged()
		for _, windows := range assemble(parts) {
			m.add(windows)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(parts)), "ns/distribution")
}
