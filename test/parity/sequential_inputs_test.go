//go:build parity

package parity

import "math/rand/v2"

// sequentialInput is what sequential.py reads; what is left out is not computed.
type sequentialInput struct {
	Streams   [][]float64     `json:"streams,omitempty"`
	Evidence  []evidenceInput `json:"evidence,omitempty"`
	Deflation [][]uint64      `json:"deflation,omitempty"`
	MMD       *mmdInput       `json:"mmd,omitempty"`
	Principal *principalInput `json:"principal,omitempty"`
	Sliced    *slicedInput    `json:"sliced,omitempty"`
	Texts     []string        `json:"texts,omitempty"`
	Wilson    [][2]uint64     `json:"wilson,omitempty"`
	Rows      [][]float64     `json:"rows,omitempty"`
}

type evidenceInput struct {
	Reference []uint64   `json:"reference"`
	Windows   [][]uint64 `json:"windows"`
	Tolerance float64    `json:"tolerance"`
	Miss      float64    `json:"miss"`
	Phi       float64    `json:"phi"`
}

type mmdInput struct {
	Reference [][]float64 `json:"reference"`
	Current   [][]float64 `json:"current"`
	Bandwidth float64     `json:"bandwidth"`
}

type principalInput struct {
	Rows [][]float64 `json:"rows"`
	Axes int         `json:"axes"`
}

// slicedInput holds the projected values of each slice.
type slicedInput struct {
	Reference [][]float64 `json:"reference"`
	Current   [][]float64 `json:"current"`
}

// changingStreams have steps up and down, slow slopes, rare events and a larger
// spread, each a few thousand values long.
func changingStreams(random *rand.Rand) [][]float64 {
	steps := func(means ...float64) (out []float64) {
		for _, mean := range means {
			for range 1500 {
				out = append(out, mean+random.NormFloat64())
			}
		}
		return out
	}
	slope, events, spread := make([]float64, 4000), make([]float64, 6000), make([]float64, 4000)
	for i := range slope {
		slope[i] = float64(i)/1000 + random.NormFloat64()
	}
	for i := range events {
		if random.Float64() < 0.01+0.1*float64(i/3000) {
			events[i] = 1
		}
	}
	for i := range spread {
		spread[i] = float64(1+9*(i/2000)) * random.NormFloat64()
	}
	return [][]float64{steps(0, 0), steps(0, 0.3, 1, 0), steps(5, -5, 100), slope, events, spread}
}

// evidenceCases are a window that stays, one that drifts, one with few rows and
// empty cells, and one with deflated counts.
func evidenceCases(random *rand.Rand) []evidenceInput {
	windows := func(rows, many int, weights ...float64) (out [][]uint64) {
		for range many {
			counts := make([]uint64, len(weights))
			for range rows {
				u, cell := random.Float64(), 0
				for ; cell < len(weights)-1 && u >= weights[cell]; cell++ {
					u -= weights[cell]
				}
				counts[cell]++
			}
			out = append(out, counts)
		}
		return out
	}
	quarter := []uint64{2500, 2500, 2500, 2500}
	return []evidenceInput{
		{quarter, windows(1000, 20, 0.25, 0.25, 0.25, 0.25), 0.005, 0.001, 1},
		{quarter, append(windows(1000, 10, 0.25, 0.25, 0.25, 0.25), windows(1000, 10, 0.35, 0.2, 0.2, 0.25)...), 0, 0.001, 1},
		{[]uint64{20, 10, 2}, windows(7, 15, 0.9, 0.05, 0.05), 0.001, 0.01, 1},
		{quarter, windows(500, 10, 0.4, 0.3, 0.2, 0.1), 0.005, 0.001, 7.5},
	}
}

// mixedRows are rows of five columns that hang together in two groups; the
// shift moves the first.
func mixedRows(random *rand.Rand, n int, shift float64) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		f, g := random.NormFloat64(), random.NormFloat64()
		rows[i] = []float64{
			100 + 10*(f+shift), f + random.NormFloat64(), -3 * f,
			g, 2*g + random.NormFloat64(),
		}
	}
	return rows
}
