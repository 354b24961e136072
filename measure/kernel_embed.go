package measure

import (
	"math"
	"math/rand/v2"
)

// Embedder gives rows their place in a kernel's space: cosines and sines of
// their products with random frequencies, over the root of the number of
// frequencies, a vector of length 1. The scalar product of two of them is the
// Gaussian kernel of the rows, but for the error of the approximation.
//
// It does not change and may be used from many goroutines.
type Embedder struct {
	standard    *Standard
	frequencies int
	scale       float64
	waves       []float64 // one block of frequencies for each column
}

// newEmbedder draws the frequencies: normal, of deviation 1/bandwidth.
func newEmbedder(standard *Standard, frequencies int, bandwidth float64, random *rand.Rand) *Embedder {
	columns := len(standard.Mean)
	e := &Embedder{standard: standard, frequencies: frequencies, scale: 1 / math.Sqrt(float64(frequencies))}
	e.waves = make([]float64, columns*frequencies)
	for k := range frequencies {
		for column := range columns {
			e.waves[column*frequencies+k] = random.NormFloat64() / bandwidth
		}
	}
	return e
}

// Size is how many numbers an embedding has: two for each frequency.
func (e *Embedder) Size() int { return 2 * e.frequencies }

// embedBlock is how many angles are at hand at once, on the stack.
const embedBlock = 64

// Add adds a row's embedding to sums, which has Size numbers. False, with sums
// as they were, where the row or the sums have another length and where a number
// is missing (NaN), infinite or beyond MaxMagnitude: such a row is in no sum. It
// allocates nothing.
func (e *Embedder) Add(row, sums []float64) bool {
	if len(row) != len(e.standard.Mean) || len(sums) != e.Size() {
		return false
	}
	for _, x := range row {
		if !countable(x) {
			return false
		}
	}
	var block [embedBlock]float64
	for first := 0; first < e.frequencies; first += embedBlock {
		angles := block[:min(embedBlock, e.frequencies-first)]
		clear(angles)
		for column, x := range row {
			z := e.standard.value(column, x)
			waves := e.waves[column*e.frequencies+first:][:len(angles)]
			for k, wave := range waves {
				angles[k] += float64(wave * z)
			}
		}
		part := sums[2*first:]
		for k, angle := range angles {
			sine, cosine := math.Sincos(angle)
			part[2*k] += float64(e.scale * cosine)
			part[2*k+1] += float64(e.scale * sine)
		}
	}
	return true
}
