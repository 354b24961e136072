package signal

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/measure"
)

// Distribution is what one window counted about one feature, output or
// protected attribute: the content of one evenkeel.window.profile event and
// one row of the table distributions. It alone is evidence; scores are
// recomputed from it.
//
// Cells are disjoint and add up: N = sum(Counts) + Missing + Other + New +
// Invalid. For TargetGroup Counts is empty and Groups carries the table. For the
// kind Sums the one cell counts the rows behind Embedded, Distinct or Estimated,
// and Missing those that could not be added.
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

	// OutOfRange counts the values beyond the baseline's range; they are in
	// Counts as well.
	OutOfRange uint64

	// Rate is the share of the requests that were profiled, in (0, 1]; 0 means 1.
	// All rows of a distribution were kept at one rate; Blend adds different ones.
	Rate float64

	// Moments of the finite numeric values. Min and Max are NaN while empty.
	Sum, SumSquares, Min, Max float64

	Groups []GroupCount
	Held   uint64 // rows of groups that are too small to be told; they come with a later window

	Embedded  []float64                    // sums over rows of the kernel's features: see JointBaseline.Kernel
	Distinct  *measure.HyperLogLog         // the rows themselves, of TargetRows
	Estimated *measure.ExpectedPerformance // of TargetPerformance
	Outcomes  *Cohort                      // of TargetOutcomes: what the agent joined of the window's predictions

	Capture Capture

	// Lineage says what stood behind the window's requests, by part and value. It
	// is the window's own: what Merge or Blend made of several tells none.
	Lineage []LineageCount
}

// GroupCount is one row of a protected attribute's table. (unknown) is a group.
type GroupCount struct {
	Group      string `json:"group"`
	Favourable uint64 `json:"favourable"`
	Total      uint64 `json:"total"`

	// Requests sums over the requests that the rows came in, for the design
	// effect of requests with several rows. nil: each row came in its own.
	Requests *measure.Requests `json:"requests,omitempty"`

	// weight is how many rows these stand for, where Blend made effective rows of
	// rows that were kept at different rates; 0: as many as Total. Groups of one
	// table may have lost more or less by it, so that shares of the table are
	// shares of the weights.
	weight float64
}

// standsFor is what the group weighs among the others of its table.
func (g *GroupCount) standsFor() float64 {
	if g.weight == 0 {
		return float64(g.Total)
	}
	return g.weight
}

// weightOf is what all groups of a table weigh.
func weightOf(groups []GroupCount) float64 {
	var all float64
	for i := range groups {
		all += groups[i].standsFor()
	}
	return all
}

// GroupUnknown is the group of rows whose protected attribute is missing.
const GroupUnknown = "(unknown)"

// Capture accounts for every row that passed the tap during a window.
type Capture struct {
	Seen        uint64 // requests that passed the proxy and were answered; refused ones are not among them
	Profiled    uint64 // requests whose rows were counted
	SampledOut  uint64
	OverCeiling uint64 // of SampledOut: not wanted so, but profiling would have used too much CPU
	Unread      uint64 // of SampledOut: left out before they could be lost
	Dropped     uint64 // lost because the queue was full or the body too large
	Undecodable uint64
}

// Add adds another account to this one.
func (c *Capture) Add(o Capture) {
	c.Seen += o.Seen
	c.Profiled += o.Profiled
	c.SampledOut += o.SampledOut
	c.OverCeiling += o.OverCeiling
	c.Unread += o.Unread
	c.Dropped += o.Dropped
	c.Undecodable += o.Undecodable
}

// Clone copies everything that Merge may change.
func (d *Distribution) Clone() *Distribution {
	c := *d
	c.Counts, c.Embedded = slices.Clone(d.Counts), slices.Clone(d.Embedded)
	c.Groups = slices.Clone(d.Groups)
	for i, g := range c.Groups {
		c.Groups[i].Requests = copied(g.Requests)
	}
	c.Distinct = copied(d.Distinct)
	if c.Estimated = copied(d.Estimated); c.Estimated != nil {
		c.Estimated.Positives = slices.Clone(c.Estimated.Positives)
		c.Estimated.Negatives = slices.Clone(c.Estimated.Negatives)
	}
	return &c
}

// copied is a copy of what p points to; nil of nil.
func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// rate is the share of the requests that were profiled.
func (d *Distribution) rate() float64 {
	if d.Rate == 0 {
		return 1
	}
	return d.Rate
}
