package ingest

import "fmt"

// Reasons why an item of a readable request is refused: values of the label
// reason of evenkeel_ingest_refused.
const (
	reasonTimestamp   = "timestamp"
	reasonBudget      = "series_budget"
	reasonTemporality = "unknown_temporality"
	reasonHistogram   = "inconsistent_histogram"
	reasonName        = "untranslatable_name"
	reasonType        = "unknown_type"
	reasonWindow      = "window_profile"
	reasonBaseline    = "baseline"
	reasonLineage     = "lineage"

	reasonPrediction = "prediction"
	reasonLabel      = "label"
)

// Parts of items that are taken which have no place in the tables: values of
// the label part of evenkeel_ingest_dropped.
const (
	partExemplar = "exemplar"
	partTarget   = "target_info"
)

// Refused counts the items of a request that were not taken.
type Refused struct {
	Count    int
	ByReason map[string]int
	First    string // what was wrong with the first one
}

func (r *Refused) add(reason, format string, args ...any) {
	r.addMany(1, reason, format, args...)
}

func (r *Refused) addMany(n int, reason, format string, args ...any) {
	if n == 0 {
		return
	}
	if r.ByReason == nil {
		r.ByReason = map[string]int{}
	}
	if r.Count == 0 {
		r.First = fmt.Sprintf(format, args...)
	}
	r.Count += n
	r.ByReason[reason] += n
}

// Message is what the sender is told; empty if nothing was refused.
func (r *Refused) Message() string {
	if r.Count < 2 {
		return r.First
	}
	return fmt.Sprintf("%s (and %d more)", r.First, r.Count-1)
}
