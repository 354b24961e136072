package measure

import (
	"math"
	"slices"
)

// Grid holds k ascending edges, which make k+1 cells: cell i is
// (edge[i-1], edge[i]], the first and the last are open.
type Grid []float64

// Index gives the cell of x, which must not be NaN. It allocates nothing. Every
// value of every request passes here, so the search is written without a branch
// on the data: one that the processor cannot foresee costs more than the step.
func (g Grid) Index(x float64) int {
	first, n := 0, len(g)
	for n > 1 {
		half := n >> 1
		below := 0
		if g[first+half-1] < x {
			below = 1
		}
		first += half & -below
		n -= half
	}
	if n == 1 && g[first] < x {
		first++
	}
	return first
}

// How many cells of equal mass the grid and the coarser cells of PSI have.
const (
	gridCells   = 40
	decileCells = 10
)

// BuildGrid gives the edges of a baseline's cells, and which of them (indexes,
// ascending) end the cells that PSI is computed on. The edges are the numpy
// "linear" quantiles k/40 without repetitions; those of the tenths are PSI's.
//
// A value that alone holds the mass of a cell, 1/40 of the data in the grid and
// 1/10 in PSI's cells, gets one of its own: without it a column with one
// dominant value would collapse to a few cells and hide every shift beside that
// value. PSI has its own bound so that a column of small integers keeps about
// ten cells, which its customary limits are made for.
//
// The values must be ascending, finite and within MaxMagnitude. Without values
// there are no edges.
func BuildGrid(sorted []float64) (edges []float64, deciles []int) {
	if len(sorted) == 0 {
		return nil, nil
	}
	edges, coarse := heavyEdges(sorted, gridCells), heavyEdges(sorted, decileCells)
	for k := 1; k < gridCells; k++ {
		q := quantile(sorted, float64(k)/gridCells)
		edges = append(edges, q)
		if k%(gridCells/decileCells) == 0 {
			coarse = append(coarse, q)
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	slices.Sort(coarse)
	for _, e := range slices.Compact(coarse) {
		i, _ := slices.BinarySearch(edges, e)
		deciles = append(deciles, i)
	}
	return edges, deciles
}

// heavyEdges encloses every value that holds at least 1/cells of the data
// between the edge v and its neighbour below, so that the cell holds v and
// nothing else.
func heavyEdges(sorted []float64, cells int) []float64 {
	var edges []float64
	for start := 0; start < len(sorted); {
		v := sorted[start]
		end := start
		for end < len(sorted) && sorted[end] == v {
			end++
		}
		if (end-start)*cells >= len(sorted) {
			edges = append(edges, math.Nextafter(v, math.Inf(-1)), v)
		}
		start = end
	}
	return edges
}

// quantile is numpy's default, "linear" (Hyndman and Fan's type 7): the value
// at position (n-1) q, interpolated between its neighbours from the nearer one,
// which makes it exact at both ends.
func quantile(sorted []float64, q float64) float64 {
	position := float64(float64(len(sorted)-1) * q)
	i := int(position)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	a, b, t := sorted[i], sorted[i+1], position-float64(i)
	if t >= 0.5 {
		return b - float64((b-a)*(1-t))
	}
	return a + float64((b-a)*t)
}
