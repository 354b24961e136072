package model

import (
	"context"
	"time"
)

// Reduce says which of a series' samples in a range a query needs. Where one is
// enough, the store sends one.
type Reduce int

// What is kept of each series.
const (
	ReduceNone    Reduce = iota // every sample
	ReduceLast                  // the newest one, whatever its value
	ReduceNewest                // the newest one that is no staleness marker
	ReduceLargest               // the largest one that is no staleness marker; NaN where there is no other
	ReduceLeast                 // the least one, likewise
)

// SeriesRange is which samples to read: those in [From, To], in milliseconds'
// resolution.
type SeriesRange struct {
	From, To time.Time
	Reduce   Reduce
}

// RangeReader reads time series for PromQL. It differs from SeriesReader in
// that the series come in no particular order, and may come reduced. What it
// gives is shared with other readers: labels are not to be changed.
type RangeReader interface {
	SelectRange(ctx context.Context, matchers []Matcher, span SeriesRange) ([]SeriesData, error)
}
