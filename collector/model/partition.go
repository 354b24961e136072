package model

import "time"

// Partition is one day of one table, as the store keeps it: it can be dropped as
// a whole.
type Partition struct {
	Table string
	Day   time.Time // midnight in UTC
	Rows  uint64
	Bytes uint64 // on disk
}

// End is when the next day begins.
func (p Partition) End() time.Time { return p.Day.AddDate(0, 0, 1) }
