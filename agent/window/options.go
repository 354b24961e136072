package window

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/category"
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
	// no drift can be told from them. What it holds beside columns is counted too:
	// joint sets, texts, whole rows, and what its calibrator makes of scores.
	Baseline *signal.Baseline

	// Outcome must be the baseline's where both have one; empty: the baseline's.
	Outcome   Outcome
	Protected []signal.FeatureName // attributes to cross with the outcome; inputs by name, monitored or not

	// Intersections are sets of protected attributes whose groups are crossed with
	// the outcome at once, each as signal.IntersectionName calls it.
	Intersections [][]signal.FeatureName

	Length time.Duration // windows end at multiples of it since the epoch; 0: only Count closes them
	Count  uint64        // rows after which a window closes early; 0: only Length closes them

	MaxGroups int // distinct groups of an attribute beyond those of the baseline; 0: 64. The rest is (other)

	// MinCell is how many rows of a group a window must have to tell of it; fewer
	// are held back and come with a later window. 0 and 1: all are told.
	MinCell uint64
	Carries *Carries // keeps what is held back over a restart; nil: it is lost then

	// Rate is the share of the requests that are profiled, in (0, 1]; 0: 1. It is
	// told with the counts; the sampling itself is done before.
	Rate float64

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
	if o.Rate == 0 {
		o.Rate = 1
	}
	if b := o.Baseline; b != nil && b.Outcome != nil && b.Outcome.Favourable != nil && o.Outcome.Output == "" {
		o.Outcome = Outcome{b.Outcome.Output, b.Outcome.Favourable.Values, b.Outcome.Favourable.AtLeast}
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
	case !(o.Rate > 0 && o.Rate <= 1):
		return fmt.Errorf("window: rate %v is not a share of the requests; set one above 0, and 1 for all", o.Rate)
	case o.Outcome.AtLeast != nil && len(o.Outcome.Values) > 0:
		return errors.New("window: outcome: favourable values and at_least exclude each other; set one")
	case o.Outcome.Output != "" && o.Outcome.AtLeast == nil && len(o.Outcome.Values) == 0:
		return fmt.Errorf("window: outcome %q: name the favourable values or set at_least", o.Outcome.Output)
	case len(o.Protected) > 0 && o.Outcome.Output == "":
		return errors.New("window: protected attributes need an outcome to be crossed with; set outcome.output")
	}
	if err := o.validateIntersections(); err != nil {
		return err
	}
	if o.Baseline != nil {
		if err := o.Baseline.Validate(); err != nil {
			return fmt.Errorf("window: baseline of %s: %w", o.Model, err)
		}
		if b := o.Baseline.Outcome; b != nil && !o.Outcome.agrees(b) {
			return fmt.Errorf("window: outcome %q is not what the baseline of %s was built with, %q; leave it out, or say the same", o.Outcome.Output, o.Model, b.Output)
		}
	}
	return nil
}

// agrees says whether an outcome means what the baseline's does. One that the
// baseline leaves open, since its output is no decision, may be decided.
func (o Outcome) agrees(b *signal.OutcomeBaseline) bool {
	if o.Output == "" {
		return true
	}
	if f := b.Favourable; f != nil {
		limits := (o.AtLeast == nil) == (f.AtLeast == nil) && (o.AtLeast == nil || *o.AtLeast == *f.AtLeast)
		if !limits || !slices.Equal(distinctValues(o.Values), distinctValues(f.Values)) {
			return false
		}
	}
	return o.Output == b.Output
}

// distinctValues brings values that mean the same into one form and order.
func distinctValues(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		if x, ok := category.Number(v); ok {
			v = category.OfNumber(x)
		}
		out[i] = v
	}
	slices.Sort(out)
	return slices.Compact(out)
}
