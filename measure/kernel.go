package measure

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Kernel is a Gaussian kernel by random Fourier features, as part of a
// baseline: what a row's embedding is, and the sums of the baseline's own rows.
// Sums of embeddings add up over replicas and windows, so that the maximum mean
// discrepancy of a window needs none of its rows.
//
// It works on standardised columns and holds no standardisation of its own: the
// one of the Projections of the same columns is given to FitKernel and Embedder,
// so that slices and kernel of a baseline speak of the same numbers. Another
// standardisation gives sums that mean something else.
type Kernel struct {
	Frequencies int       `json:"frequencies"`
	Bandwidth   float64   `json:"bandwidth"` // deviation of the kernel, in standardised columns
	Seed        uint64    `json:"seed"`      // of the random frequencies
	Rows        uint64    `json:"rows"`      // of the baseline
	Sums        []float64 `json:"sums"`      // over them, 2 Frequencies numbers
}

// maxFrequencies bounds what an Embedder holds: with maxProjectedColumns, 128 MiB.
const maxFrequencies = 4096

// FitKernel takes the median distance between the rows, of 300 evenly spread
// ones, as the bandwidth, and sums the embeddings of all. The same rows, number
// and seed give the same kernel, and MMD of the same reference, frequencies,
// bandwidth and seed the same values.
//
// Undefined for no or more than 4096 frequencies, fewer than two rows, rows that
// do not fit the standardisation or hold numbers that are not finite or beyond
// MaxMagnitude, and where most rows are equal, which leaves no distance.
func FitKernel(standard *Standard, rows [][]float64, frequencies int, seed uint64) (*Kernel, error) {
	k := &Kernel{Frequencies: frequencies, Seed: seed}
	if frequencies < 1 || frequencies > maxFrequencies || len(rows) < 2 {
		return nil, fmt.Errorf("kernel: %d frequencies over %d rows: %w", frequencies, len(rows), ErrUndefined)
	}
	if err := standard.check(); err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	var err error
	if k.Bandwidth, err = medianDistance(standard, rows); err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	if err := checkBandwidth(k.Bandwidth); err != nil {
		return nil, fmt.Errorf("kernel: most rows are the same: %w", err)
	}
	e := newEmbedder(standard, k.Frequencies, k.Bandwidth, k.random())
	k.Sums = make([]float64, e.Size())
	for i, row := range rows {
		if !e.Add(row, k.Sums) {
			return nil, fmt.Errorf("kernel: row %d has %d columns or a number that is not finite, the baseline has %d: %w", i, len(row), len(standard.Mean), ErrUndefined)
		}
	}
	k.Rows = uint64(len(rows))
	return k, nil
}

func (k *Kernel) random() *rand.Rand { return rand.New(rand.NewPCG(k.Seed, 0)) }

// Embedder prepares the kernel for rows of the columns that the standardisation
// is of, which it keeps a reference to.
func (k *Kernel) Embedder(standard *Standard) (*Embedder, error) {
	if err := k.Validate(); err != nil {
		return nil, err
	}
	if err := standard.check(); err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	return newEmbedder(standard, k.Frequencies, k.Bandwidth, k.random()), nil
}

// MMD is the maximum mean discrepancy between the baseline's rows and those
// behind the sums, as an effect size: the Estimate that the function MMD gives
// for the rows themselves, but for rounding.
//
// Undefined for fewer than two rows on either side, for sums of another number
// or larger than so many rows can have, and without variance within the samples.
func (k *Kernel) MMD(sums []float64, rows uint64) (Estimate, error) {
	if rows < 2 || k.Rows < 2 || len(sums) != len(k.Sums) {
		return Estimate{}, fmt.Errorf("mmd: %d sums over %d rows against %d over %d: %w", len(sums), rows, len(k.Sums), k.Rows, ErrUndefined)
	}
	if err := checkSums(sums, rows); err != nil {
		return Estimate{}, fmt.Errorf("mmd: %w", err)
	}
	d := discrepancyOf(k.Sums, sums, k.Rows, rows)
	return d.effect(rows, k.Bandwidth)
}

// Validate reports what does not hold together about a kernel that was read from
// somewhere.
func (k *Kernel) Validate() error {
	if k.Frequencies < 1 || k.Frequencies > maxFrequencies || len(k.Sums) != 2*k.Frequencies {
		return fmt.Errorf("kernel: %d sums for %d frequencies, of which there may be 1 to %d: %w", len(k.Sums), k.Frequencies, maxFrequencies, ErrUndefined)
	}
	if err := checkBandwidth(k.Bandwidth); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	if k.Rows < 2 {
		return fmt.Errorf("kernel: %d rows, at least 2: %w", k.Rows, ErrUndefined)
	}
	if err := checkSums(k.Sums, k.Rows); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return nil
}

// checkBandwidth refuses one at which all rows look alike, or no two.
func checkBandwidth(bandwidth float64) error {
	if !(bandwidth >= 1e-9 && bandwidth <= 1e9) {
		return fmt.Errorf("a bandwidth of %v: %w", bandwidth, ErrUndefined)
	}
	return nil
}

// checkSums refuses sums that no rows can have: each embedding has length 1.
func checkSums(sums []float64, rows uint64) error {
	for i, s := range sums {
		if !(math.Abs(s) <= float64(rows)) {
			return fmt.Errorf("sum %d is %v over %d rows: %w", i, s, rows, ErrUndefined)
		}
	}
	return nil
}
