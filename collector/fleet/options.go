package fleet

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Store is what fleet reads and writes.
type Store interface {
	model.Writer
	model.WindowReader
	model.CohortReader
}

// Subscriber is told of every window after it and its scores are stored, one at
// a time, in the order of their ends for each length. After a restart the
// windows of CatchUp are told once more, since a crash may have cut a telling
// short: the subscriber passes over what it knows.
type Subscriber interface {
	Sealed(ctx context.Context, w model.FleetWindow)
}

// Options configure a Fleet. Store and Rules are needed; a zero elsewhere means
// the default.
type Options struct {
	Store       Store
	Rules       *rules.Set
	Systems     []signal.SystemID // declared: their silence is sealed too
	Subscribers []Subscriber

	Grace       time.Duration // after a slot's end, for replicas that are late; default 5s
	StartGrace  time.Duration // after a restart, for agents that hold windows back; default 90s
	Poll        time.Duration // how often to look without being woken; default 1s
	CatchUp     time.Duration // slots that were due longer ago are not sealed any more; default 24h, one slot at least
	CatchUpMost int           // nor are more slots of one length than these, the newest; default 360
	Remember    time.Duration // how long a silent model is expected; default 7 days, two slots at least
	LateHorizon time.Duration // how far back late windows, labels and predictions are counted, at least one slot; default 10m
	Late        time.Duration // how long after its horizon labels still revise a cohort; 0: none does
	LateEvery   time.Duration // how often late labels are looked for, at most 24 times a slot; default 10m
	Chunk       time.Duration // how much of a long slot is read at once, rows or predictions; default 1h
	MinShare    float64       // groups below this share of the rows are not judged; default 0.02
	Confidence  float64       // of the simultaneous intervals over groups; default 0.95

	// Horizon gives how long after its end a labelled window takes labels; nil:
	// 24h for all. Systems that are not among Systems have that of the empty one.
	Horizon func(signal.SystemID) time.Duration

	// Stored says that everything which was acknowledged before t is in the
	// store; nil: it always is. While it is not, nobody is declared absent.
	Stored func(t time.Time) bool

	Now     func() time.Time      // default time.Now
	Log     *slog.Logger          // default: discarded
	Metrics prometheus.Registerer // nil: not exported
}

func (o Options) withDefaults() Options {
	duration := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	duration(&o.Grace, 5*time.Second)
	duration(&o.StartGrace, 90*time.Second)
	duration(&o.Poll, time.Second)
	duration(&o.CatchUp, 24*time.Hour)
	duration(&o.Remember, 7*24*time.Hour)
	duration(&o.LateHorizon, 10*time.Minute)
	duration(&o.LateEvery, 10*time.Minute)
	duration(&o.Chunk, time.Hour)
	if o.CatchUpMost <= 0 {
		o.CatchUpMost = 360
	}
	if o.MinShare <= 0 {
		o.MinShare = 0.02
	}
	if o.Confidence <= 0 {
		o.Confidence = 0.95
	}
	if o.Horizon == nil {
		o.Horizon = func(signal.SystemID) time.Duration { return 24 * time.Hour }
	}
	if o.Stored == nil {
		o.Stored = func(time.Time) bool { return true }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// remember is how long a silent model is expected in windows of a length. Of
// two slots one has always ended, so that a model which served in a long one is
// still known when the next is sealed.
func (o *Options) remember(length time.Duration) time.Duration { return max(o.Remember, 2*length) }

// catchUp is for how long after its end a slot of a length is sealed: an outage
// shorter than the slot never costs it.
func (o *Options) catchUp(length time.Duration) time.Duration { return max(o.CatchUp, length) }
