package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows how far the passes over a file have come, on a terminal only
// and only where it takes long enough to wonder.
type progress struct {
	ctx      context.Context
	out      io.Writer // nil: not a terminal
	file     *os.File
	size     int64
	passes   int // begun so far
	of       int // passes in all
	begun    time.Time
	painted  time.Time
	anything bool
}

// When a bar appears, how often it moves, and how wide it is.
const (
	progressAfter = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
	progressWidth = 30
	filePasses    = 2 // usually: one to examine, one to count
)

func newProgress(ctx context.Context, terminal io.Writer, file *os.File) *progress {
	p := &progress{ctx: ctx, file: file, of: filePasses, begun: time.Now()}
	if info, err := file.Stat(); err == nil {
		p.size = max(1, info.Size())
	}
	if isTerminal(terminal) {
		p.out = terminal
	}
	return p
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// at paints the bar if it is time to, and ends the reading on an interrupt.
func (p *progress) at(bytes int64) error {
	if p.ctx.Err() != nil {
		return errors.New("interrupted; nothing was written")
	}
	now := time.Now()
	if p.out == nil || now.Sub(p.begun) < progressAfter || now.Sub(p.painted) < progressEvery {
		return nil
	}
	p.painted, p.anything = now, true
	done := (float64(p.passes-1) + float64(bytes)/float64(p.size)) / float64(p.of)
	filled := min(progressWidth, int(done*progressWidth))
	_, err := fmt.Fprintf(p.out, "\rreading %s [%s%s] %3.0f%%", p.file.Name(),
		strings.Repeat("=", filled), strings.Repeat(" ", progressWidth-filled), done*100)
	return err
}

// clear removes the bar. It may be called more than once.
func (p *progress) clear() {
	if p.anything {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K") // a terminal that went away shows no bar
		p.anything = false
	}
}
