package window

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/evenkeel/evenkeel/internal/guard"
	"github.com/evenkeel/evenkeel/signal"
)

// Options configure one Profiler.
type Options struct {
	System   signal.SystemID
	Instance signal.InstanceID
	// Model names the version that is profiled. In a Set an empty version means
	// every version that shows up, each in windows of its own; a version that is
	// set counts all traffic of the name under that version.
	Model signal.ModelRef

	// Baseline gives the cells. nil: features are profiled as they come, with
	// counts of rows and missing values and moments, but in one cell, so that
	// no drift can be told from them.
	Baseline *signal.Baseline

	Outcome   Outcome
	Protected []signal.FeatureName // attributes to cross with the outcome; inputs by name, monitored or not

	Length time.Duration // windows end at multiples of it since the epoch; 0: only Count closes them
	Count  uint64        // rows after which a window closes early; 0: only Length closes them

	MaxGroups int // distinct groups of an attribute beyond those of the baseline; 0: 64. The rest is (other)

	Sequences *Sequences // numbers the windows
	// Capture gives the running totals of what passed the tap for this model:
	// Seen, SampledOut, Dropped and Undecodable. Profiled is the profiler's own.
	// nil: all stay 0.
	Capture func() signal.Capture
	Sink    func(*Closed)    // takes every closed window, in order
	Clock   func() time.Time // nil: time.Now
	Guard   *guard.Guard     // counts the panics of closing windows and of the sink, which are recovered; nil: one of its own
	Log     *slog.Logger     // nil: slog.Default
}

// Outcome says which answers of the model are favourable to the person.
type Outcome struct {
	Output  signal.FeatureName // the prediction column; empty: no outcome, no group tables
	Values  []string           // favourable values; numbers match by value
	AtLeast *float64           // favourable from here on; excludes Values
}

// The parts of the package, for the counts of panics.
const (
	partWindows = "windows" // closing windows by the clock
	partSink    = "sink"    // what takes closed windows
)

const defaultMaxGroups = 64

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Guard == nil {
		o.Guard = guard.New(o.Log)
	}
	o.Guard.Expect(partWindows, partSink)
	if o.MaxGroups == 0 {
		o.MaxGroups = defaultMaxGroups
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Model.Name == "":
		return errors.New("window: no model name")
	case o.Instance == "":
		return errors.New("window: no instance id")
	case o.Sink == nil || o.Sequences == nil:
		return errors.New("window: a sink and sequences are needed")
	case o.Length < 0 || (o.Length == 0 && o.Count == 0):
		return fmt.Errorf("window: length %s and count %d would never close a window; set one of them", o.Length, o.Count)
	case o.Outcome.AtLeast != nil && len(o.Outcome.Values) > 0:
		return errors.New("window: outcome: favourable values and at_least exclude each other; set one")
	case o.Outcome.Output != "" && o.Outcome.AtLeast == nil && len(o.Outcome.Values) == 0:
		return fmt.Errorf("window: outcome %q: name the favourable values or set at_least", o.Outcome.Output)
	case len(o.Protected) > 0 && o.Outcome.Output == "":
		return errors.New("window: protected attributes need an outcome to be crossed with; set outcome.output")
	}
	if o.Baseline != nil {
		if err := o.Baseline.Validate(); err != nil {
			return fmt.Errorf("window: baseline of %s: %w", o.Model, err)
		}
	}
	return nil
}
