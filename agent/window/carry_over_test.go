package window

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

func carries(t testing.TB, path string) *Carries {
	t.Helper()
	c, err := OpenCarries(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// people is one request: rows of each group, the first ones favourable.
func people(rows map[string]measure.Proportion) *signal.Observation {
	obs := &signal.Observation{Model: signal.ModelRef{Name: "loans", Version: "1"}}
	gender, approved := signal.Column{Name: "gender", Target: signal.TargetFeature}, signal.Column{Name: "approved", Target: signal.TargetPrediction}
	for group, p := range rows {
		for i := range p.Total {
			gender.Strings = append(gender.Strings, group)
			approved.Numbers = append(approved.Numbers, map[bool]float64{true: 1}[i < p.Favourable])
		}
		obs.Rows += int(p.Total)
	}
	obs.Columns = []signal.Column{gender, approved}
	return obs
}

func few(group string, favourable, total uint64) map[string]measure.Proportion {
	return map[string]measure.Proportion{group: {Favourable: favourable, Total: total}}
}

// groupSums adds rows up by group.
type groupSums map[string]measure.GroupRows

func (s groupSums) add(group string, rows measure.GroupRows) {
	if group == "" {
		group = signal.GroupUnknown
	}
	sum := s[group]
	sum.Favourable += rows.Favourable
	sum.Total += rows.Total
	sum.Requests.Merge(rows.Requests)
	if sum.Total > 0 {
		s[group] = sum
	}
}

func (s groupSums) addAll(o groupSums) {
	for group, rows := range o {
		s.add(group, rows)
	}
}

func (s groupSums) addRequest(group string, p measure.Proportion) {
	rows := measure.GroupRows{Favourable: p.Favourable, Total: p.Total}
	if rows.Requests.Add(p) == nil {
		s.add(group, rows)
	}
}

func (s groupSums) addWindow(w *Closed) {
	for _, d := range w.Distributions {
		if d.Target != signal.TargetGroup {
			continue
		}
		for _, g := range d.Groups {
			n, x := float64(g.Total), float64(g.Favourable)
			rows := measure.GroupRows{Favourable: g.Favourable, Total: g.Total, Requests: measure.Requests{
				Count: g.Total, Rows: n, Favourable: x, RowsSquared: n, RowsFavourable: x, FavourableSquare: x,
			}}
			if g.Requests != nil {
				rows.Requests = *g.Requests
			}
			s.add(g.Group, rows)
		}
	}
}

// office runs profilers over one state folder, one after the other.
type office struct {
	o       Options
	p       *Profiler
	windows []*Closed
	path    string
	handed  []byte // what the file held when the last window was handed over
}

func newOffice(t interface{ Fatal(...any) }, o Options, path string) *office {
	f := &office{o: o, path: path}
	f.o.Sink = f.take
	f.start(t)
	return f
}

func (f *office) take(w *Closed) {
	f.windows = append(f.windows, w)
	f.handed, _ = os.ReadFile(f.path) // none before anything was held
}

// crash begins a new process with the file as it was when the last window was
// being handed over, which did not succeed.
func (f *office) crash(t interface{ Fatal(...any) }) {
	if f.handed != nil {
		if err := os.WriteFile(f.path, f.handed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.start(t)
}

// start begins as a new process does, from what is on disk.
func (f *office) start(t interface{ Fatal(...any) }) {
	var err error
	if f.o.Carries, err = OpenCarries(f.path); err != nil {
		t.Fatal(err)
	}
	if f.p, err = New(f.o); err != nil {
		t.Fatal(err)
	}
	f.windows = nil
}

// close closes a window and gives it.
func (f *office) close() *Closed {
	f.p.Flush()
	w := f.windows[len(f.windows)-1]
	f.windows = nil
	return w
}

func (f *office) held() groupSums { return maps.Clone(f.p.groups[0].carry.Held) }

// onDisk is what a process that starts now would go on carrying.
func (f *office) onDisk(t interface{ Fatal(...any) }) groupSums {
	c, err := OpenCarries(f.path)
	if err != nil {
		t.Fatal(err)
	}
	return c.held(f.p.groups[0].key(&f.p.o))
}

// breakDisk makes every write of the file fail, and gives what mends it.
func breakDisk(t interface{ Fatal(...any) }, path string) (mend func()) {
	if err := os.MkdirAll(filepath.Join(path+".tmp", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.RemoveAll(path + ".tmp") }
}

// Over any run of windows, restarts, crashes and failing disks: what was told,
// what is held and what a crash lost are together what was given, no more and no
// less. A crash that comes after the file was written loses what its window was
// to tell; one that comes before loses what the window had counted; a failing
// disk, followed by a crash, loses what it could not take. No run tells a row
// twice.
func TestCarriedGroupsAreToldOnce(t *testing.T) {
	folder := t.TempDir()
	base := options(t, nil)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		o := base
		o.MinCell = rapid.Uint64Range(0, 8).Draw(t, "minimum")
		f := newOffice(t, o, filepath.Join(folder, fmt.Sprint(run)))
		given, told, lost := groupSums{}, groupSums{}, groupSums{}
		for range rapid.IntRange(0, 15).Draw(t, "windows") {
			counted := groupSums{}
			for range rapid.IntRange(0, 3).Draw(t, "requests") {
				rows := map[string]measure.Proportion{}
				for _, group := range []string{"male", "female", "x", ""} {
					n := rapid.Uint64Range(0, 4).Draw(t, "rows")
					rows[group] = measure.Proportion{Favourable: rapid.Uint64Range(0, n).Draw(t, "favourable"), Total: n}
					counted.addRequest(group, rows[group])
				}
				f.p.Observe(people(rows))
			}
			given.addAll(counted)
			before := f.onDisk(t)
			fault := rapid.SampledFrom([]string{"", "", "crash before the file", "crash after the file", "restart", "disk", "disk and crash"}).Draw(t, "fault")
			switch fault {
			case "crash before the file":
				missing(t, lost, f.held(), before)
				lost.addAll(counted)
				f.start(t)
				continue
			case "disk", "disk and crash":
				mend := breakDisk(t, f.path)
				told.addWindow(f.close())
				mend()
			case "crash after the file":
				lost.addWindow(f.close())
				held := f.held()
				f.crash(t)
				missing(t, lost, held, f.onDisk(t))
				continue
			default:
				told.addWindow(f.close())
			}
			if fault == "restart" || fault == "disk and crash" {
				missing(t, lost, f.held(), f.onDisk(t))
				f.start(t)
			}
		}
		told.addAll(f.held())
		told.addAll(lost)
		if !reflect.DeepEqual(told, given) {
			t.Fatalf("given\n%v, but told, held and lost are\n%v", given, told)
		}
	})
}

// missing adds to lost what is held and not on disk; nothing may be on disk that
// is not held, since it would be told once more.
func missing(t *rapid.T, lost, held, disk groupSums) {
	for group, d := range disk {
		h := held[group]
		if h.Total < d.Total || h.Favourable < d.Favourable {
			t.Fatalf("group %s: %v is on disk and %v is held: the difference was told, and would be again", group, d, h)
		}
	}
	for group, h := range held {
		d := disk[group]
		h.Total -= d.Total
		h.Favourable -= d.Favourable
		h.Requests = measure.Requests{
			Count: h.Requests.Count - d.Requests.Count, Rows: h.Requests.Rows - d.Requests.Rows, Favourable: h.Requests.Favourable - d.Requests.Favourable,
			RowsSquared: h.Requests.RowsSquared - d.Requests.RowsSquared, RowsFavourable: h.Requests.RowsFavourable - d.Requests.RowsFavourable,
			FavourableSquare: h.Requests.FavourableSquare - d.Requests.FavourableSquare,
		}
		lost.add(group, h)
	}
}

func TestASmallGroupComesWithALaterWindow(t *testing.T) {
	o := options(t, nil)
	o.MinCell = 5
	f := newOffice(t, o, filepath.Join(t.TempDir(), "held.json"))
	f.p.Observe(people(map[string]measure.Proportion{"male": {Favourable: 3, Total: 6}, "female": {Favourable: 1, Total: 2}, "": {Total: 1}}))
	d := groupsOf(t, f.close())
	if !reflect.DeepEqual(d.Groups, []signal.GroupCount{inOneRequest("male", 3, 6)}) || d.Held != 3 || d.N != 6 {
		t.Errorf("first window: %+v", d)
	}
	roundTrip(t, d)
	f.start(t) // the process is another one
	f.p.Observe(people(few("female", 2, 4)))
	d = groupsOf(t, f.close())
	want := signal.GroupCount{Group: "female", Favourable: 3, Total: 6, Requests: &measure.Requests{
		Count: 2, Rows: 6, Favourable: 3, RowsSquared: 4 + 16, RowsFavourable: 2 + 8, FavourableSquare: 1 + 4,
	}}
	if !reflect.DeepEqual(d.Groups, []signal.GroupCount{want}) || d.Held != 1 {
		t.Errorf("after a restart: %+v", d)
	}
	if d = groupsOf(t, f.close()); d.Held != 1 || len(d.Groups) != 0 {
		t.Errorf("an empty window: %+v", d)
	}
	f.o.MinCell = 0
	f.start(t)
	if d = groupsOf(t, f.close()); d.Held != 0 || len(d.Groups) != 1 || d.Groups[0].Group != signal.GroupUnknown {
		t.Errorf("nothing is to be held any more: %+v", d)
	}
}

func groupsOf(t *testing.T, w *Closed) *signal.Distribution {
	t.Helper()
	got := collected{windows: []*Closed{w}}
	return got.distribution(t, 0, signal.TargetGroup, "gender")
}

// A crash after the file was written and before the window was handed over loses
// the window, and its number shows that.
func TestACrashBeforeHandingOverLosesAndDoesNotRepeat(t *testing.T) {
	o := options(t, nil)
	o.MinCell = 5
	f := newOffice(t, o, filepath.Join(t.TempDir(), "held.json"))
	f.p.Observe(people(few("female", 1, 3)))
	first := f.close()
	f.p.Observe(people(few("female", 1, 3)))
	if lost := groupsOf(t, f.close()); lost.Groups[0].Total != 6 { // the process dies here
		t.Fatalf("%+v", lost)
	}
	f.crash(t)
	f.p.Observe(people(few("female", 0, 5)))
	third := f.close()
	if d := groupsOf(t, third); d.Groups[0].Total != 5 {
		t.Errorf("rows were told twice: %+v", d)
	}
	if first.ID.Sequence != 1 || third.ID.Sequence != 3 {
		t.Errorf("windows %d and %d: the lost one leaves no gap", first.ID.Sequence, third.ID.Sequence)
	}
}

// While the file cannot be written, groups of which the file holds rows stay held;
// others are told as ever.
func TestADiskThatFailsHoldsBack(t *testing.T) {
	o := options(t, nil)
	o.MinCell = 5
	f := newOffice(t, o, filepath.Join(t.TempDir(), "held.json"))
	f.p.Observe(people(few("female", 1, 3)))
	f.close()
	mend := breakDisk(t, f.path)
	f.p.Observe(people(map[string]measure.Proportion{"female": {Favourable: 1, Total: 4}, "male": {Total: 9}}))
	if d := groupsOf(t, f.close()); d.Held != 7 || len(d.Groups) != 1 || d.Groups[0].Group != "male" {
		t.Errorf("while the disk fails: %+v", d)
	}
	if n := f.o.Carries.Faults().Unsaved; n != 1 {
		t.Errorf("%d windows unsaved", n)
	}
	mend()
	if d := groupsOf(t, f.close()); d.Held != 0 || len(d.Groups) != 1 || d.Groups[0].Total != 7 || d.Groups[0].Favourable != 2 {
		t.Errorf("when it works again: %+v", d)
	}
	if held := f.onDisk(t); len(held) != 0 {
		t.Errorf("still on disk: %v", held)
	}
}

// Groups that are held by name are bounded: further ones are held as (other).
func TestHeldNamesAreBounded(t *testing.T) {
	o := options(t, nil)
	o.MinCell, o.MaxGroups = 5, 3 // two more are the baseline's
	f := newOffice(t, o, filepath.Join(t.TempDir(), "held.json"))
	var given, told uint64
	for i := range 40 {
		f.p.Observe(people(few(fmt.Sprintf("typing error %d", i), 0, 1)))
		given++
		for _, g := range groupsOf(t, f.close()).Groups {
			told += g.Total
			if g.Group != groupOther {
				t.Errorf("%s was told, with %d rows", g.Group, g.Total)
			}
		}
		if held := f.held(); len(held) > f.p.groups[0].limit+1 {
			t.Fatalf("%d groups are held", len(held))
		}
	}
	if held := f.p.groups[0].carry.Rows(); told+held != given || told == 0 {
		t.Errorf("%d told and %d held of %d", told, held, given)
	}
	f.p.Observe(people(few("female", 0, 1)))
	f.close()
	if _, ok := f.held()["female"]; !ok {
		t.Error("a group of the baseline is held under its own name")
	}
}
