package reload

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched runs a Watcher by turns of the test.
type watched struct {
	t       *testing.T
	turns   chan time.Time
	changed chan struct{}
}

func watch(t *testing.T, files ...string) *watched {
	w := watchFiles(t, func() []string { return files })
	w.turn(0) // it has looked
	return w
}

func watchFiles(t *testing.T, files func() []string) *watched {
	w := &watched{t, make(chan time.Time), make(chan struct{}, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Watcher{Files: files, Changed: func() { w.changed <- struct{}{} }, Turn: w.turns}.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

// turn lets the watcher look often enough to see a change and that it stands
// still, and says of how many it must have told.
func (w *watched) turn(want int) {
	w.t.Helper()
	for range 3 {
		w.turns <- time.Time{} // taken when the look before is over
	}
	if n := len(w.changed); n != want {
		w.t.Errorf("%d changes, want %d", n, want)
	}
	for range len(w.changed) {
		<-w.changed
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestChangesAreToldOnce(t *testing.T) {
	folder := t.TempDir()
	path, absent := filepath.Join(folder, "agent.yaml"), filepath.Join(folder, "later.json")
	write(t, path, "a")
	w := watch(t, path, absent)
	w.turn(0)
	write(t, path, "ab")
	w.turn(1)
	w.turn(0)
	write(t, absent, "now")
	w.turn(1)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	w.turn(1)
	w.turn(0)
	write(t, path, "ab")
	w.turn(1)
}

// A file that is still being written is not read.
func TestFileMustStandStill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.yaml")
	looks, text := 0, ""
	grow := func() []string { // at each look the file is another one
		if looks++; looks <= 6 {
			text += "more"
			write(t, path, text)
		}
		return []string{path}
	}
	w := watchFiles(t, grow)
	for range 5 {
		w.turns <- time.Time{}
	}
	if n := len(w.changed); n != 0 {
		t.Errorf("%d changes while it was written", n)
	}
	w.turn(1)
}

// A ConfigMap of Kubernetes is a link to a link that is swapped; size and even
// the time of the file may be the same.
func TestSwappedLinkIsAChange(t *testing.T) {
	folder := t.TempDir()
	then := time.Unix(1_768_500_000, 0)
	for _, v := range []string{"v1", "v2"} {
		if err := os.Mkdir(filepath.Join(folder, v), 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, v, "agent.yaml")
		write(t, file, v)
		if err := os.Chtimes(file, then, then); err != nil {
			t.Fatal(err)
		}
	}
	point := func(v string) {
		next := filepath.Join(folder, "..next")
		if err := os.Symlink(v, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(folder, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	point("v1")
	path := filepath.Join(folder, "agent.yaml")
	if err := os.Symlink("..data/agent.yaml", path); err != nil {
		t.Fatal(err)
	}
	w := watch(t, path)
	point("v2")
	w.turn(1)
	w.turn(0)
}

func TestHangupArrives(t *testing.T) {
	got, stop := Hangups()
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-got
}
