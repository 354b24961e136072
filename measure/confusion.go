package measure

import (
	"fmt"
	"math/bits"
)

// Confusion counts the rows of one group, or of all, by predicted and actual
// outcome. Positive is the favourable outcome where groups are compared. The
// cells are disjoint, so tables of parts of the data add up; the zero value is
// empty and ready to use.
type Confusion struct {
	TruePositive  uint64 `json:"true_positive"`
	FalsePositive uint64 `json:"false_positive"`
	TrueNegative  uint64 `json:"true_negative"`
	FalseNegative uint64 `json:"false_negative"`
}

// Add counts one row whose actual outcome is known.
func (c *Confusion) Add(predicted, actual bool) {
	switch {
	case predicted && actual:
		c.TruePositive++
	case predicted:
		c.FalsePositive++
	case actual:
		c.FalseNegative++
	default:
		c.TrueNegative++
	}
}

// Merge adds what another part of the data counted. It refuses counts that add
// up to more than 64 bits and then leaves c as it was.
func (c *Confusion) Merge(o Confusion) error {
	merged := *c
	overflow := uint64(0)
	for _, cell := range []struct{ into, from *uint64 }{
		{&merged.TruePositive, &o.TruePositive},
		{&merged.FalsePositive, &o.FalsePositive},
		{&merged.TrueNegative, &o.TrueNegative},
		{&merged.FalseNegative, &o.FalseNegative},
	} {
		sum, carry := bits.Add64(*cell.into, *cell.from, 0)
		*cell.into = sum
		overflow |= carry
	}
	if overflow != 0 {
		return fmt.Errorf("the confusion counts add up to more than 64 bits: %w", ErrUndefined)
	}
	*c = merged
	return nil
}

// Selection is the share of positive predictions among all rows.
func (c Confusion) Selection() Proportion {
	return among(add(c.TruePositive, c.FalsePositive), add(c.TrueNegative, c.FalseNegative))
}

// Accuracy is the share of right predictions among all rows.
func (c Confusion) Accuracy() Proportion {
	return among(add(c.TruePositive, c.TrueNegative), add(c.FalsePositive, c.FalseNegative))
}

// TruePositiveRate is the share of positive predictions among the actual
// positives, also called recall and sensitivity.
func (c Confusion) TruePositiveRate() Proportion {
	return among(exact(c.TruePositive), exact(c.FalseNegative))
}

// FalseNegativeRate is the share of negative predictions among the actual
// positives.
func (c Confusion) FalseNegativeRate() Proportion {
	return among(exact(c.FalseNegative), exact(c.TruePositive))
}

// FalsePositiveRate is the share of positive predictions among the actual
// negatives.
func (c Confusion) FalsePositiveRate() Proportion {
	return among(exact(c.FalsePositive), exact(c.TrueNegative))
}

// TrueNegativeRate is the share of negative predictions among the actual
// negatives, also called specificity.
func (c Confusion) TrueNegativeRate() Proportion {
	return among(exact(c.TrueNegative), exact(c.FalsePositive))
}

// PositivePredictiveValue is the share of actual positives among the positive
// predictions, also called precision.
func (c Confusion) PositivePredictiveValue() Proportion {
	return among(exact(c.TruePositive), exact(c.FalsePositive))
}

// FalseDiscoveryRate is the share of actual negatives among the positive
// predictions.
func (c Confusion) FalseDiscoveryRate() Proportion {
	return among(exact(c.FalsePositive), exact(c.TruePositive))
}

// FalseOmissionRate is the share of actual positives among the negative
// predictions.
func (c Confusion) FalseOmissionRate() Proportion {
	return among(exact(c.FalseNegative), exact(c.TrueNegative))
}

// tally is a count, and whether it went beyond 64 bits.
type tally struct {
	count    uint64
	overflow bool
}

func exact(count uint64) tally { return tally{count: count} }

func add(a, b uint64) tally {
	sum, carry := bits.Add64(a, b, 0)
	return tally{sum, carry != 0}
}

// among is the proportion of part in part and rest together. Counts beyond 64
// bits give the empty proportion, of which everything is undefined.
func among(part, rest tally) Proportion {
	total := add(part.count, rest.count)
	if part.overflow || rest.overflow || total.overflow {
		return Proportion{}
	}
	return Proportion{Favourable: part.count, Total: total.count}
}
