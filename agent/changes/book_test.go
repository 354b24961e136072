package changes

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

var noon = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, path string, now time.Time) *Book {
	t.Helper()
	b, err := Open(path, time.Minute, now)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sees gives the change that a sight is, "OLD>NEW", and notes that it was told;
// empty: it is none.
func sees(t testing.TB, b *Book, v string, now time.Time, alone bool) string {
	t.Helper()
	c, changed := b.See(Sight{Model: signal.ModelRef{Name: "loans", Version: v}, Of: signal.ChangeVersion, Value: v, Found: signal.FoundAnswer, Alone: alone}, now)
	if !changed {
		return ""
	}
	if err := b.Done(c, alone); err != nil {
		t.Fatal(err)
	}
	if c.Model.Version != v || c.Found != signal.FoundAnswer || !c.Time.Equal(now) {
		t.Errorf("%+v", c)
	}
	return c.Old + ">" + c.New
}

func TestChanges(t *testing.T) {
	type step struct {
		at   time.Duration
		seen string
		want string
	}
	for name, test := range map[string]struct {
		alone bool
		steps []step
	}{
		"the first is none":        {steps: []step{{0, "1", ""}, {time.Hour, "1", ""}}},
		"a rollout":                {steps: []step{{0, "1", ""}, {1, "2", "1>2"}, {2, "2", ""}, {time.Hour, "2", ""}}},
		"two take turns":           {steps: []step{{0, "1", ""}, {1, "2", "1>2"}, {2, "1", ""}, {3, "2", ""}, {4, "1", ""}}},
		"back at once":             {steps: []step{{0, "1", ""}, {1, "2", "1>2"}, {2, "1", ""}, {time.Minute, "1", ""}, {time.Minute + 1, "1", "2>1"}, {time.Minute + 2, "1", ""}}},
		"back later":               {steps: []step{{0, "1", ""}, {1, "2", "1>2"}, {time.Hour, "2", ""}, {time.Hour + 1, "1", "2>1"}}},
		"a third, the first stays": {steps: []step{{0, "1", ""}, {1, "2", "1>2"}, {2, "3", "2>3"}, {3, "1", ""}}},
		"a configuration":          {alone: true, steps: []step{{0, "1", ""}, {1, "2", "1>2"}, {2, "1", "2>1"}, {3, "", "1>"}, {4, "", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, filepath.Join(t.TempDir(), "served.json"), noon)
			for i, s := range test.steps {
				if got := sees(t, b, s.seen, noon.Add(s.at), test.alone); got != s.want {
					t.Errorf("step %d: %q is %q, want %q", i, s.seen, got, s.want)
				}
			}
		})
	}
}

// A restart is no change; what changed meanwhile is one.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "served.json")
	b := open(t, path, noon)
	sees(t, b, "1", noon, false)
	sees(t, b, "2", noon.Add(1), false)
	later := noon.Add(time.Hour)
	b = open(t, path, later)
	for _, v := range []string{"2", "1", "2"} {
		if got := sees(t, b, v, later, false); got != "" {
			t.Errorf("%s after a restart is %q", v, got)
		}
	}
	if got := sees(t, open(t, path, later), "3", later, false); got != "2>3" {
		t.Errorf("%q", got)
	}
}

func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "served.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Open(path, time.Minute, noon)
	if errs.KindOf(err) != errs.Corrupt || b == nil {
		t.Fatal(b, err)
	}
	sees(t, b, "1", noon, false)
	if got := sees(t, open(t, path, noon), "2", noon, false); got != "1>2" {
		t.Errorf("after it was written anew: %q", got)
	}
}

// What could not be told is told later, and not at each request.
func TestNotTold(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "served.json"), noon)
	sees(t, b, "1", noon, false)
	s := Sight{Model: signal.ModelRef{Name: "loans"}, Of: signal.ChangeVersion, Value: "2"}
	c, changed := b.See(s, noon)
	if !changed {
		t.Fatal("no change")
	}
	b.Failed(c, noon)
	if _, changed := b.See(s, noon.Add(retryAfter-1)); changed {
		t.Error("it is tried again at once")
	}
	if _, changed := b.See(s, noon.Add(retryAfter)); !changed {
		t.Error("it is never tried again")
	}
}

// However many versions answers claim, few are changes, and the others are counted.
func TestBounds(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "served.json"), noon)
	n := 0
	for i := range 1000 {
		if sees(t, b, fmt.Sprint("v", i), noon, false) != "" {
			n++
		}
	}
	if n != maxLive-1 || b.Overlooked() != 1000-maxLive {
		t.Errorf("%d changes, %d overlooked", n, b.Overlooked())
	}
	if got := sees(t, b, string(make([]byte, 1000)), noon.Add(time.Hour), false); got != "" {
		t.Error("a long one is told")
	}
	if got := sees(t, b, "new", noon.Add(time.Hour), false); got == "" {
		t.Error("none is told any more")
	}
}

// Whatever comes, the changes are a chain: each begins with what the one before
// ended with, and none leads to itself.
func TestChangesAreAChain(t *testing.T) {
	folder, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		path, now, last := filepath.Join(folder, fmt.Sprint(n)), noon, ""
		b := open(t, path, now)
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(rt, "seconds")) * time.Second)
			v := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(rt, "version")
			if last == "" {
				last = v
			}
			if rapid.IntRange(0, 9).Draw(rt, "restart") == 0 {
				b = open(t, path, now)
			}
			if got := sees(t, b, v, now, false); got != "" {
				if got != last+">"+v || last == v {
					rt.Fatalf("%q after %q", got, last)
				}
				last = v
			}
		}
	})
}

func BenchmarkSee(b *testing.B) {
	book := open(b, filepath.Join(b.TempDir(), "served.json"), noon)
	s := Sight{Model: signal.ModelRef{Name: "loans", Version: "7"}, Of: signal.ChangeVersion, Value: "7", Found: signal.FoundAnswer}
	book.See(s, noon)
	b.ReportAllocs()
	for b.Loop() {
		book.See(s, noon)
	}
}
