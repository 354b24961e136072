package join_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/join"
	"github.com/evenkeel/evenkeel/signal"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a join with a clock, and what it has told.
type world struct {
	*join.Join
	t    *testing.T
	o    join.Options
	now  time.Time
	told []*signal.Distribution
	fail error
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: noon}
	b := baseline()
	digest, err := b.Digest()
	if err != nil {
		t.Fatal(err)
	}
	w.o = join.Options{
		Folder: t.TempDir(), Model: "loans", Instance: "a", Now: func() time.Time { return w.now },
		Slot: time.Minute, Horizon: time.Hour, Memory: 1 << 20, Disk: 1 << 20, MinCell: 2,
		Baseline: b, Digest: digest, Output: "approved",
		Tell: func(_ context.Context, d *signal.Distribution) error {
			if w.fail == nil {
				w.told = append(w.told, d)
			}
			return w.fail
		},
	}
	w.open()
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.Join, err = join.Open(w.o); err != nil {
		w.t.Fatal(err)
	}
}

func baseline() *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 400,
		Features: []signal.FeatureBaseline{{
			Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical,
			Categories: []string{"0", "1"}, Counts: []uint64{100, 300}, N: 400,
		}},
		Outcome: &signal.OutcomeBaseline{Output: "approved", Favourable: &signal.Favourable{Values: []string{"1"}}},
	}
}

func row(id string, at time.Time, value, group string) signal.Prediction {
	return signal.Prediction{
		ID: id, Model: signal.ModelRef{Name: "loans", Version: "1"}, Time: at, Value: value, Score: math.NaN(),
		Groups: []signal.Membership{{Attribute: "gender", Group: group}},
	}
}

func label(id, value string) signal.Label { return signal.Label{ID: id, Value: value} }

func (w *world) label(labels ...signal.Label) {
	w.t.Helper()
	if _, err := w.Label(labels); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) step(at time.Time) {
	w.t.Helper()
	w.now = at
	if err := w.Step(w.t.Context()); err != nil && w.fail == nil {
		w.t.Fatal(err)
	}
}

// A slot is told once its horizon is over, also after restarts in between, with
// the newest label of each prediction, and its part passes as a window event.
func TestASlotIsToldWhenItsHorizonIsOver(t *testing.T) {
	w := newWorld(t)
	w.label(label("early", "1")) // before its prediction has come here
	w.Add([]signal.Prediction{row("a", noon, "1", "m"), row("b", noon.Add(59*time.Second), "1", "m"), row("early", noon, "0", "m")})
	w.Add([]signal.Prediction{row("next", noon.Add(time.Minute), "1", "m"), row("next2", noon.Add(time.Minute), "1", "m")})
	w.label(label("a", "0"), label("b", "1"), label("nobody", "1"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.label(label("a", "1")) // told anew
	w.step(noon.Add(61*time.Minute - 1))
	if len(w.told) != 0 {
		t.Fatalf("told too early: %+v", w.told[0].Outcomes)
	}
	w.fail = errors.New("the spool is full")
	w.step(noon.Add(61 * time.Minute))
	w.fail = nil
	w.open() // killed before it was told
	w.step(w.now)
	if len(w.told) != 1 {
		t.Fatalf("%d parts", len(w.told))
	}
	d := w.told[0]
	c := d.Outcomes
	if !d.Start.Equal(noon) || !d.End.Equal(noon.Add(time.Minute)) || d.Model != (signal.ModelRef{Name: "loans", Version: "1"}) || d.N != 3 ||
		c.All.Predictions != 3 || c.All.Labelled != 3 || c.All.Confusion.TruePositive != 2 || c.All.Confusion.FalseNegative != 1 {
		t.Errorf("told %+v, %+v", d, c.All)
	}
	attrs := map[string]any{}
	for _, a := range signal.EncodeDistribution(d) {
		if list, ok := a.Value.([]int64); ok {
			a.Value = []any{list[0]}
		}
		attrs[a.Key] = a.Value
	}
	back, err := signal.DecodeDistribution(attrs)
	if err != nil || back.Outcomes.All.Confusion != c.All.Confusion {
		t.Errorf("read back as %+v, %v", back, err)
	}
	w.label(label("b", "0"))
	w.step(noon.Add(2 * time.Hour))
	if got := w.Counts(); len(w.told) != 2 || got.Waiting != 0 || got.Bytes != 0 || got.Unmatched != 1 {
		t.Errorf("%d parts, %+v", len(w.told), got)
	}
}

// Groups too small to be told come with the slot in which they are large enough,
// whatever is told twice or restarted in between.
func TestSmallGroupsAreHeld(t *testing.T) {
	w := newWorld(t)
	for n := range 3 {
		at := noon.Add(time.Duration(n) * time.Minute)
		w.Add([]signal.Prediction{row(fmt.Sprint("m", n), at, "1", "m"), row(fmt.Sprint("n", n), at, "1", "m"), row(fmt.Sprint("w", n), at, "0", "w")})
	}
	w.label(label("w0", "1"), label("w1", "0"))
	w.step(noon)
	for n := range 3 {
		w.fail = errors.New("not yet")
		w.step(noon.Add(time.Duration(n+1)*time.Minute + time.Hour))
		w.fail = nil
		w.open()
		w.step(w.now)
	}
	var got []string
	for _, d := range w.told {
		text := ""
		for _, g := range d.Outcomes.Attributes[0].Groups {
			text += fmt.Sprintf("%s %d/%d ", g.Group, g.Labelled, g.Predictions)
		}
		got = append(got, text)
	}
	if want := "[m 0/2  m 0/2 w 2/2  m 0/2 ]"; fmt.Sprint(got) != want {
		t.Errorf("told %v, want %s", got, want)
	}
}

// Memory and disk are bounded, and what they do not take is counted.
func TestWhatDoesNotFitIsCounted(t *testing.T) {
	w := newWorld(t)
	w.o.Memory, w.o.Disk = 10*64, 1<<20
	w.Configure(w.o)
	for i := range 12 {
		w.Add([]signal.Prediction{row(fmt.Sprint(i), noon, "1", "m")})
	}
	w.Add([]signal.Prediction{row("", noon, "1", "m")})
	w.o.Memory, w.o.Disk = 1<<20, 1
	w.Configure(w.o)
	w.Add([]signal.Prediction{row("x", noon, "1", "m")})
	w.label(label("1", "1"))
	if c := w.Counts(); c.Waiting != 10 || c.MemoryFull != 2 || c.Nameless != 1 || c.DiskFull != 1 || c.Refused != 1 || c.Matched != 0 {
		t.Errorf("%+v", c)
	}
}

// Label of a slot that is due finds it closed.
func TestLateLabelsAreCounted(t *testing.T) {
	w := newWorld(t)
	w.Add([]signal.Prediction{row("a", noon, "1", "m")})
	w.now = noon.Add(61 * time.Minute)
	w.label(label("a", "1"))
	if c := w.Counts(); c.Late != 1 || c.Matched != 0 {
		t.Errorf("%+v", c)
	}
}

func BenchmarkAdd(b *testing.B) {
	j, err := join.Open(join.Options{
		Folder: b.TempDir(), Model: "loans", Instance: "a", Slot: time.Minute, Horizon: time.Hour, Memory: 1 << 40, Disk: 1 << 40,
		Tell: func(context.Context, *signal.Distribution) error { return nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	rows := []signal.Prediction{row("", noon, "1", "m")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		rows[0].ID = fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)
		j.Add(rows)
	}
}
