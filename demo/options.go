package demo

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/demo/children"
	"github.com/evenkeel/evenkeel/demo/ports"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Options say how the demo runs.
type Options struct {
	Programs   children.Programs
	Engine     string        // libchdb.so; empty: where make setup put it
	Ports      ports.Set     // ignored where FreePorts is set
	FreePorts  bool          // let the system choose
	Folder     string        // parent of the run's own folder; empty: the system's for temporary files
	Keep       bool          // leave the run's folder, with logs and configurations, in place
	Seed       uint64        // of the applicants
	Rate       int           // rows a second
	ShiftAfter time.Duration // from the stream's start; ignored where Data is set
	Window     time.Duration // of the agent; the rules judge slots of two windows
	Data       *File         // a file of one's own in place of the loan story
	Once       bool          // stop at the first drift and bias records
	Timeout    time.Duration // with Once: give up, counted from the stream's start
	Out        io.Writer     // the narration
	Colour     bool
}

// DefaultOptions are those of evenkeel demo without flags. Programs, Out and
// Colour are left to the caller.
func DefaultOptions() Options {
	return Options{
		Ports: ports.Default(), Seed: 1, Rate: 160, ShiftAfter: 30 * time.Second, Window: 5 * time.Second,
		Timeout: 150 * time.Second,
	}
}

// slot is the window length that the rules are overridden to.
func (o *Options) slot() time.Duration { return 2 * o.Window }

// minSamples is how many rows a slot must hold to be judged: half of what the
// stream sends in it.
func (o *Options) minSamples() int { return int(float64(o.Rate) * o.slot().Seconds() / 2) }

// The fewest rows a slot may be expected to hold: below it the noise of a
// population stability index over ten cells comes near the limits.
const fewestRows = 400

// Validate reports every option that cannot work.
func (o *Options) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, errs.E("demo options", errs.Invalid, fmt.Errorf(format, args...), ""))
		}
	}
	check(o.Rate >= 1 && o.Rate <= 20_000, "--rate %d: want 1 to 20000 rows a second", o.Rate)
	check(o.Window >= time.Second && o.Window <= time.Hour, "--window %s: want 1s to 1h", o.Window)
	check(o.Window%time.Second == 0, "--window %s: want whole seconds", o.Window)
	check(o.ShiftAfter >= 0, "--shift-after %s: want 0s or more", o.ShiftAfter)
	check(o.Timeout > 0, "--timeout %s: want more than 0s", o.Timeout)
	check(2*o.minSamples() >= fewestRows, "--rate %d with --window %s: two windows hold %d rows, and fewer than %d are mostly noise; raise either",
		o.Rate, o.Window, 2*o.minSamples(), fewestRows)
	check(!o.Once || o.Data != nil || o.Timeout > o.ShiftAfter, "--timeout %s is over before the shift after %s", o.Timeout, o.ShiftAfter)
	if o.Data != nil {
		faults = append(faults, o.Data.validate())
	}
	return errors.Join(faults...)
}
