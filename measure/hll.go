package measure

import (
	"fmt"
	"math"
	"math/bits"
)

// ConventionDuplicates names the sketch that DuplicateShare rests on: a
// HyperLogLog of 2^14 registers.
const ConventionDuplicates = "duplicate_share/hll14@1"

// hllBits is how many bits of a hash choose the register. 14 take 16 KiB and
// give a standard error of 1.04 / 2^7 = 0.8%.
const (
	hllBits      = 14
	hllRegisters = 1 << hllBits
	hllLargest   = 64 - hllBits + 1 // the largest rank that a register can hold
)

// HyperLogLog estimates how many different rows there were, in 16 KiB whatever
// their number. Replicas and windows merge to what one sketch of all rows would
// be. The zero value is empty and ready to use. Flajolet, Fusy, Gandouet and
// Meunier, HyperLogLog (2007).
type HyperLogLog struct {
	registers [hllRegisters]uint8
}

// Add counts a row. Adding it again changes nothing. It allocates nothing.
func (s *HyperLogLog) Add(row RowHash) {
	hash := uint64(row)
	register := hash >> (64 - hllBits)
	// The 1 bounds the rank where all the other bits are 0.
	rank := uint8(bits.LeadingZeros64(hash<<hllBits|1<<(hllBits-1)) + 1)
	if rank > s.registers[register] {
		s.registers[register] = rank
	}
}

// Merge adds the rows that another sketch has seen.
func (s *HyperLogLog) Merge(o *HyperLogLog) {
	for i, rank := range o.registers {
		s.registers[i] = max(s.registers[i], rank)
	}
}

// Distinct estimates the number of different rows, and its limits at the given
// confidence: the estimate over 1 +- z 0.0081, after the asymptotic standard
// error. 0 rows are exactly 0, and the estimator is Ertl's, which has no bias in
// any range and needs no table. Ertl, New Cardinality Estimation Algorithms for
// HyperLogLog Sketches (2017), algorithm 6.
//
// Undefined for a confidence outside (0, 1), and for a sketch that is full, after
// about 2^64 rows.
func (s *HyperLogLog) Distinct(confidence float64) (value, lower, upper float64, err error) {
	z, err := criticalValue(confidence)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("distinct rows: %w", err)
	}
	// z is at most 8.3, at the confidence next to 1, and the spread at most 0.07.
	spread := float64(z * 1.04 / math.Sqrt(hllRegisters))
	value = s.estimate()
	if math.IsInf(value, 0) {
		return 0, 0, 0, fmt.Errorf("distinct rows: every register is full: %w", ErrUndefined)
	}
	return value, value / (1 + spread), value / (1 - spread), nil
}

// estimate is m^2 / (2 ln 2) over the weighted sum of how many registers hold
// each rank, where the empty and the full registers, whose rows are not seen one
// by one, have weights of their own.
func (s *HyperLogLog) estimate() float64 {
	var holding [hllLargest + 1]float64
	for _, rank := range s.registers {
		holding[rank]++
	}
	if holding[0] == hllRegisters {
		return 0
	}
	sum := float64(hllRegisters * weightOfFull(1-holding[hllLargest]/hllRegisters))
	for rank := hllLargest - 1; rank >= 1; rank-- {
		sum = (sum + holding[rank]) / 2
	}
	sum += float64(hllRegisters * weightOfEmpty(holding[0]/hllRegisters))
	return hllRegisters * hllRegisters / (2 * math.Ln2 * sum)
}

// weightOfEmpty is x + sum over k >= 1 of x^(2^k) 2^(k-1), for x < 1.
func weightOfEmpty(x float64) float64 {
	total, factor := x, 1.0
	for {
		x *= x
		before := total
		total += float64(x * factor)
		if total == before {
			return total
		}
		factor *= 2
	}
}

// weightOfFull is (1 - x - sum over k >= 1 of (1 - x^(2^-k))^2 2^-k) / 3.
func weightOfFull(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	total, factor := 1-x, 1.0
	for {
		x = math.Sqrt(x)
		factor /= 2
		before := total
		total -= float64((1 - x) * (1 - x) * factor)
		if total == before {
			return total / 3
		}
	}
}

// DuplicateShare is the share of rows that are a repetition of another one in
// the same data, 1 - distinct/rows, with the limits that the sketch's error
// leaves at the given confidence. A share below about 2% is within its error.
//
// Undefined for no rows, for a sketch that has seen none, and where Distinct is.
func DuplicateShare(seen *HyperLogLog, rows uint64, confidence float64) (Estimate, error) {
	distinct, fewest, most, err := seen.Distinct(confidence)
	if err == nil && (rows == 0 || distinct == 0) {
		err = fmt.Errorf("%d rows, about %g of them different: %w", rows, distinct, ErrUndefined)
	}
	if err != nil {
		return Estimate{}, fmt.Errorf("duplicate share: %w", err)
	}
	n := float64(rows)
	// Among n rows at least one is different, and at most n are.
	repeated := func(distinct float64) float64 { return 1 - max(1, min(distinct, n))/n }
	lower, upper := repeated(most), repeated(fewest)
	return Estimate{Value: repeated(distinct), Lower: &lower, Upper: &upper, Samples: rows, Convention: ConventionDuplicates}, nil
}
