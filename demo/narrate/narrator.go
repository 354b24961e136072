// Package narrate tells in a terminal what the demo does: one calm line for
// each thing that happened, with the time since the stream began, in colour
// only where a person reads.
package narrate

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Tone is how a line is meant.
type Tone int

// The tones.
const (
	Plain  Tone = iota
	Quiet       // detail, for those who read on
	Good        // as it should be
	Notice      // something begins to move
	Alarm       // a requirement is not met
)

var colours = map[Tone]string{Quiet: "2", Good: "32", Notice: "33", Alarm: "1;31"}

// Narrator writes lines. It is safe for concurrent use. The zero time of its
// clock is set by Begin; lines before it carry none.
type Narrator struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
	now    func() time.Time
	begun  time.Time
}

// New makes a narrator. Colour should be what Colour says about out.
func New(out io.Writer, colour bool, now func() time.Time) *Narrator {
	return &Narrator{out: out, colour: colour, now: now}
}

// Colour says whether out is a terminal of somebody who wants colours: NO_COLOR
// (any value but the empty one) and TERM=dumb say no.
func Colour(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Begin starts the clock.
func (n *Narrator) Begin() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.begun = n.now()
}

// Say writes one line, or several if the text holds line breaks: the further
// ones are indented below the first.
func (n *Narrator) Say(tone Tone, format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clock := strings.Repeat(" ", 7)
	if !n.begun.IsZero() {
		clock = fmt.Sprintf("%6.1fs", n.now().Sub(n.begun).Seconds())
	}
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n         ")
	if code := colours[tone]; n.colour && code != "" {
		text = "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	// A terminal that went away is no reason to stop.
	_, _ = fmt.Fprintf(n.out, "%s  %s\n", clock, text)
}
