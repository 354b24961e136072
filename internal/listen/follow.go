package listen

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookAgain is how often a followed file's time and size are looked at.
const lookAgain = time.Second

// followed holds what was read from files and reads again when one changes.
// What cannot be read after a change leaves the old value and is logged once.
type followed[T any] struct {
	paths []string
	read  func() (T, error)
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	value  T
	stamp  string
	looked time.Time
}

func follow[T any](log *slog.Logger, now func() time.Time, read func() (T, error), paths ...string) (*followed[T], error) {
	f := &followed[T]{paths: paths, read: read, log: log, now: now}
	f.stamp, f.looked = f.stampOf(), now()
	var err error
	f.value, err = read()
	return f, err
}

// get gives the present value.
func (f *followed[T]) get() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if now.Sub(f.looked) < lookAgain {
		return f.value
	}
	f.looked = now
	stamp := f.stampOf()
	if stamp == f.stamp {
		return f.value
	}
	f.stamp = stamp
	value, err := f.read()
	if err != nil {
		f.log.Error("a changed file cannot be used; what it held before stays in force", "error", err)
		return f.value
	}
	f.value = value
	f.log.Info("read a changed file", "paths", f.paths)
	return f.value
}

// stampOf changes when a file does.
func (f *followed[T]) stampOf() string {
	var stamp string
	for _, path := range f.paths {
		if info, err := os.Stat(path); err == nil {
			stamp += fmt.Sprintln(info.ModTime().UnixNano(), info.Size())
		}
	}
	return stamp
}
