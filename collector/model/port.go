package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Doubt says what the writer must assume about earlier tries of a batch.
type Doubt bool

// The two cases.
const (
	FirstTry Doubt = false // this process knows that the batch was never tried
	InDoubt  Doubt = true  // it may be there: ask before inserting
)

// Writer stores batches, each exactly once. Write returns nil only when every
// row is stored and durable as far as the server promises. On an error of kind
// errs.Unavailable the caller tries the same batch with the same rows again,
// InDoubt; on errs.Corrupt (the store holds a different number of rows under
// this batch) it must not: the batch is put aside and an alarm raised.
// Safe for concurrent use with different batches.
type Writer interface {
	Write(ctx context.Context, batch Batch, rows *Rows, doubt Doubt) error
}

// MatchType is how a Matcher compares.
type MatchType int

// The match types of PromQL.
const (
	MatchEqual MatchType = iota
	MatchNotEqual
	MatchRegexp
	MatchNotRegexp
)

// BatchHeader is the header, or gRPC metadata key, by which a sender names a
// request, <instance>/<sequence>, so that repeating it stores it once.
const BatchHeader = "Evenkeel-Batch"

// ClockSlack is how far ahead of ours a sender's clock may be.
const ClockSlack = 24 * time.Hour

// Matcher selects series by one label; __name__ is the metric's name. An
// absent label is the empty value. Regular expressions are RE2 and anchored.
type Matcher struct {
	Name  string
	Type  MatchType
	Value string
}

// SeriesData is one series with its samples, by time ascending and without
// two of the same time.
type SeriesData struct {
	Series
	Samples []Sample
}

// SeriesReader reads time series for PromQL. Ranges are inclusive at both
// ends, in milliseconds' resolution; the result is sorted by labels; nothing
// found is an empty result, not an error. More samples than limit allows is
// errs.Exhausted.
type SeriesReader interface {
	RangeReader
	SelectSeries(ctx context.Context, matchers []Matcher, from, to time.Time) ([]SeriesData, error)
	// FindSeries is SelectSeries without the samples, for series seen since from.
	FindSeries(ctx context.Context, matchers []Matcher, from, to time.Time) ([]Series, error)
}

// WindowReader gives fleet what it merges.
type WindowReader interface {
	// DistributionsBetween gives the distributions of every window that ended
	// in (from, to], ordered by system, model, instance, sequence, target,
	// feature; the empty system means all. Those of TargetOutcomes are not among
	// them: CohortReader gives them.
	DistributionsBetween(ctx context.Context, system signal.SystemID, from, to time.Time) ([]*signal.Distribution, error)
	// FleetWindows gives the sealed windows that ended in (from, to], by end.
	FleetWindows(ctx context.Context, from, to time.Time) ([]FleetWindow, error)
	// DriftProcesses gives, for every column of a model version and a window
	// length, its process after the last window that ended before the given time.
	DriftProcesses(ctx context.Context, system signal.SystemID, m signal.ModelRef, length time.Duration, before time.Time) ([]DriftProcess, error)
	// Baseline gives a baseline's content; errs.NotFound if it was never declared.
	Baseline(ctx context.Context, digest signal.Digest) (*signal.Baseline, error)
}

// CohortReader gives fleet the predictions that it joins with their labels.
type CohortReader interface {
	LateReader
	// PredictedLanes gives the model versions with predictions made in (from, to],
	// or with counts of TargetOutcomes whose window ended there, by system, name
	// and version.
	PredictedLanes(ctx context.Context, from, to time.Time) ([]PredictedLane, error)
	// OutcomesBetween gives the distributions of TargetOutcomes of a model version
	// whose windows ended in (from, to], by instance and sequence.
	OutcomesBetween(ctx context.Context, system signal.SystemID, m signal.ModelRef, from, to time.Time) ([]*signal.Distribution, error)
	// LabelledPredictions gives each prediction of a model version made in
	// (from, to] to yield, ordered by time, id and row, with the newest label that
	// was received by the given time: the one that became known last, of equally
	// new ones the one received last. It holds a bounded part of them in memory.
	// An error of yield ends it and is returned.
	LabelledPredictions(ctx context.Context, system signal.SystemID, m signal.ModelRef, from, to, received time.Time, yield func(*signal.LabelledPrediction) error) error
}

// EvaluationReader gives the evaluator its own past.
type EvaluationReader interface {
	// LatestEvaluations gives the newest evaluation of every rule and subject
	// since the given time.
	LatestEvaluations(ctx context.Context, since time.Time) ([]Evaluation, error)
	// Evaluations gives one rule's evaluations in (from, to], newest first, the
	// newest of each Run; an empty rule means all.
	Evaluations(ctx context.Context, rule signal.RuleID, from, to time.Time, limit int) ([]Evaluation, error)
}

// RegisterReader gives the register and the outbox their past.
type RegisterReader interface {
	// RegisterEvents gives all events ordered by time, record and seq.
	RegisterEvents(ctx context.Context) ([]RegisterEvent, error)
	// RegisterSize counts all events, and RegisterSizes those of each record; both
	// are cheaper than to read them.
	RegisterSize(ctx context.Context) (uint64, error)
	RegisterSizes(ctx context.Context) (map[string]uint64, error)
	// RegisterEventsOf is RegisterEvents for some records.
	RegisterEventsOf(ctx context.Context, records []string) ([]RegisterEvent, error)
	// Deliveries gives the newest delivery of every sink and event.
	Deliveries(ctx context.Context) ([]Delivery, error)
}

// Store is all of it, as the composition root sees it.
type Store interface {
	Writer
	SeriesReader
	WindowReader
	CohortReader
	CountReader
	EvaluationReader
	RegisterReader
	ReplicaStore
	LineageReader
	BaselineReader
	Ping(ctx context.Context) error
	Close() error
}
