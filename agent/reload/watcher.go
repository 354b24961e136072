// Package reload notices that the configuration should be read again: because a
// signal says so, or because a file that it is made of has changed.
//
//	SIGHUP ------------------> Hangups \
//	                                    -> the agent's Reload
//	stat of the files, by turns -> Watcher /
package reload

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// Watcher looks at files by turns. It follows symbolic links, so that it sees a
// Kubernetes ConfigMap, which changes by a link being swapped, and it needs no
// notification of the system, which network file systems do not give.
type Watcher struct {
	Every   time.Duration    // between two looks; above 0
	Files   func() []string  // asked at every look; a file need not exist
	Changed func()           // called when files have changed and then stood still for one look
	Turn    <-chan time.Time // when to look, instead of Every; nil: by the clock
}

// Run looks until ctx ends. What the files are when it begins is no change.
func (w Watcher) Run(ctx context.Context) {
	turn := w.Turn
	if turn == nil {
		ticker := time.NewTicker(w.Every)
		defer ticker.Stop()
		turn = ticker.C
	}
	known := look(w.Files())
	last := known
	for {
		select {
		case <-ctx.Done():
			return
		case <-turn:
		}
		now := look(w.Files())
		still := now.same(last)
		last = now
		if still && !now.same(known) {
			w.Changed()
			// The change may have brought other files to look at.
			known = now.also(look(w.Files()))
			last = known
		}
	}
}

// sight is what a look has seen of each file; nil where there is none.
type sight []seen

type seen struct {
	path string
	info os.FileInfo
}

func look(files []string) sight {
	out := make(sight, len(files))
	for i, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			info = nil // not there, or not to be read: the reload says which
		}
		out[i] = seen{path, info}
	}
	return out
}

// also takes files from a newer look that this one has not seen.
func (s sight) also(newer sight) sight {
	out := make(sight, len(newer))
	for i, n := range newer {
		out[i] = n
		if at := slices.IndexFunc(s, func(o seen) bool { return o.path == n.path }); at >= 0 {
			out[i] = s[at]
		}
	}
	return out
}

// same says that the same files were seen, with the same content as far as that
// can be told without reading them.
func (s sight) same(o sight) bool {
	return slices.EqualFunc(s, o, func(a, b seen) bool {
		if a.path != b.path || (a.info == nil) != (b.info == nil) {
			return false
		}
		return a.info == nil || os.SameFile(a.info, b.info) && a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime())
	})
}

// Hangups gives SIGHUP, which then no longer ends the process, until stop is
// called.
func Hangups() (got <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
