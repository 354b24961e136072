package signal

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Distribution is what one window counted about one feature, output or
// protected attribute: the content of one evenkeel.window.profile event and
// one row of the table distributions. It alone is evidence; scores are
// recomputed from it.
//
// Cells are disjoint and add up: N = sum(Counts) + Missing + Other + New +
// Invalid. For TargetGroup Counts is empty and Groups carries the table.
type Distribution struct {
	System   SystemID
	Model    ModelRef
	Window   WindowID
	Start    time.Time // first instant of the window
	End      time.Time // first instant after the window
	Parts    int       // how many distributions this window has in all
	Baseline Digest    // empty where there is none
	Bounds   Digest    // equal digests may be added, others never

	Target  Target
	Feature FeatureName
	Kind    Kind

	Counts  []uint64 // numeric: cells of the grid; categorical: categories, in the baseline's order
	Missing uint64
	Other   uint64 // categories that the baseline itself folded together
	New     uint64 // categories that the baseline has not
	Invalid uint64 // values of a type that does not fit, or infinite
	N       uint64

	// Moments of the finite numeric values. Min and Max are NaN while empty.
	Sum, SumSquares, Min, Max float64

	Groups  []GroupCount
	Capture Capture
}

// GroupCount is one row of a protected attribute's table. (unknown) is a group.
type GroupCount struct {
	Group      string `json:"group"`
	Favourable uint64 `json:"favourable"`
	Total      uint64 `json:"total"`
}

// GroupUnknown is the group of rows whose protected attribute is missing.
const GroupUnknown = "(unknown)"

// Capture accounts for every row that passed the tap during a window.
type Capture struct {
	Seen        uint64 // requests that passed the proxy
	Profiled    uint64 // requests whose rows were counted
	SampledOut  uint64
	Dropped     uint64 // lost because the queue was full or the body too large
	Undecodable uint64
}

// Add adds another account to this one.
func (c *Capture) Add(o Capture) {
	c.Seen += o.Seen
	c.Profiled += o.Profiled
	c.SampledOut += o.SampledOut
	c.Dropped += o.Dropped
	c.Undecodable += o.Undecodable
}

// Merge adds o's counts to d: other replicas of the same model, or later
// windows. Start and End become the hull. It refuses distributions whose
// bounds, target or feature differ, since their cells mean different things,
// and then leaves d as it was. Merging is associative and commutative up to
// the order of Groups, which Merge keeps sorted.
func (d *Distribution) Merge(o *Distribution) error {
	if d.Bounds != o.Bounds || d.Target != o.Target || d.Feature != o.Feature || len(d.Counts) != len(o.Counts) {
		return fmt.Errorf("merge %s %q: bounds %s with %d cells and bounds %s with %d cells do not mean the same",
			d.Target, d.Feature, d.Bounds.Short(), len(d.Counts), o.Bounds.Short(), len(o.Counts))
	}
	for i, c := range o.Counts {
		d.Counts[i] += c
	}
	d.Missing += o.Missing
	d.Other += o.Other
	d.New += o.New
	d.Invalid += o.Invalid
	d.N += o.N
	d.Sum += o.Sum
	d.SumSquares += o.SumSquares
	d.Min = minIgnoringNaN(d.Min, o.Min)
	d.Max = -minIgnoringNaN(-d.Max, -o.Max)
	d.Capture.Add(o.Capture)
	d.mergeGroups(o.Groups)
	if o.Start.Before(d.Start) {
		d.Start = o.Start
	}
	if o.End.After(d.End) {
		d.End = o.End
	}
	return nil
}

func (d *Distribution) mergeGroups(groups []GroupCount) {
	for _, g := range groups {
		i, found := slices.BinarySearchFunc(d.Groups, g.Group, func(a GroupCount, name string) int {
			return strings.Compare(a.Group, name)
		})
		if !found {
			d.Groups = slices.Insert(d.Groups, i, GroupCount{Group: g.Group})
		}
		d.Groups[i].Favourable += g.Favourable
		d.Groups[i].Total += g.Total
	}
}

func minIgnoringNaN(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	if math.IsNaN(b) {
		return a
	}
	return math.Min(a, b)
}
