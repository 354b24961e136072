package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// The bits of a revised batch: a mark, then what is left of 65,535 after the
// revision, then the hash.
const (
	revisedBit   = 1 << 62
	revisionBits = 16
	revisionAt   = 46
)

// RevisedBatch numbers rows that correct derived ones, from a hash of what they
// were computed from. Of two samples of the same time readers take the one of the
// lower batch: it is lower than every derived batch, and lower than those of
// earlier revisions, of which there may be 65,535.
func RevisedBatch(hash uint64, revision uint32) Batch {
	left := uint64(1<<revisionBits - 1)
	left -= min(uint64(revision), left)
	return Batch(revisedBit | left<<revisionAt | hash&(1<<revisionAt-1))
}

// LateReader finds cohorts that labels have come for.
type LateReader interface {
	// LateSlots gives the ends of the slots of a length, multiples of it since the
	// Unix epoch, in which a model version made predictions in (from, to] that a
	// label was received for in (since, until]; in order.
	LateSlots(ctx context.Context, q LateQuestion) ([]time.Time, error)
}

// LateQuestion is what LateSlots asks.
type LateQuestion struct {
	System       signal.SystemID
	Model        signal.ModelRef
	Length       time.Duration
	From, To     time.Time // of predictions
	Since, Until time.Time // of labels, when they were received
}
