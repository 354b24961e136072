package measure

import "math"

// Limit is a set of values that are not allowed.
type Limit interface {
	// Breached says that the value is not allowed. It is never asked about NaN.
	Breached(value float64) bool
	// Excludes says that no value within the interval is allowed. A nil end is
	// open: the interval is not limited there.
	Excludes(lower, upper *float64) bool
	// Allows says that every value within the interval is allowed.
	Allows(lower, upper *float64) bool
}

// Requirement is what a measured value is judged by.
type Requirement struct {
	Fail       Limit   // must not be breached
	Warn       Limit   // warns before that
	Confident  bool    // the interval decides; else the value alone
	MinSamples uint64  // fewer are no data, but never suppress a confident fail
	Margin     float64 // confident: half an interval's width that is precise enough to say "not shown"
}

// Ground is why a verdict is what it is.
type Ground string

// The grounds, by the verdict that they lead to.
const (
	GroundBreached     Ground = "breached"     // fail: the fail limit
	GroundWarned       Ground = "warned"       // warn: the warn limit
	GroundInconclusive Ground = "inconclusive" // warn: the value is beyond the fail limit, the interval is not
	GroundAllowed      Ground = "allowed"      // pass: within the limits
	GroundNotShown     Ground = "not_shown"    // pass: no breach, and the interval is precise enough to say so
	GroundAbsent       Ground = "absent"       // no data: there is no value
	GroundNotFinite    Ground = "not_finite"   // no data: the value is no number
	GroundFewSamples   Ground = "few_samples"  // no data: fewer samples than asked for
	GroundUnderpowered Ground = "underpowered" // no data: no breach, and the interval is too wide to say anything
)

// Decide judges an estimate, nil where there is none. It is pure, so that the
// agent's display and the evaluator never disagree: the same estimate under the
// same requirement is always judged alike.
//
// With Confident the interval decides, in this order. Fail: every allowed value
// is excluded, whatever the number of samples. No data: fewer samples than asked
// for. Pass: the whole interval is allowed. Warn: the value is not allowed, but
// the interval does not exclude that the truth is. Pass (not shown): no breach,
// and half the interval's width is within the margin. Else no data: too few rows
// to see a shift of the margin's size; SmallestVisible says which one could be
// seen. Where the verdict would be a pass, the warn limit is asked last.
//
// An estimate without an interval cannot fail with Confident: nothing says how
// far off it may be.
func Decide(e *Estimate, r Requirement) Ground {
	switch {
	case e == nil:
		return GroundAbsent
	case math.IsNaN(e.Value) || math.IsInf(e.Value, 0):
		return GroundNotFinite
	case r.Confident:
		return decideByInterval(e, r)
	case e.Samples < r.MinSamples:
		return GroundFewSamples
	case r.Fail.Breached(e.Value):
		return GroundBreached
	}
	return unlessWarned(e, r, GroundAllowed)
}

func decideByInterval(e *Estimate, r Requirement) Ground {
	switch {
	case r.Fail.Excludes(e.Lower, e.Upper):
		return GroundBreached
	case e.Samples < r.MinSamples:
		return GroundFewSamples
	case r.Fail.Allows(e.Lower, e.Upper):
		return unlessWarned(e, r, GroundAllowed)
	case r.Fail.Breached(e.Value):
		return GroundInconclusive
	case SmallestVisible(e) <= r.Margin:
		return unlessWarned(e, r, GroundNotShown)
	}
	return GroundUnderpowered
}

func unlessWarned(e *Estimate, r Requirement, ground Ground) Ground {
	if r.Warn.Breached(e.Value) {
		return GroundWarned
	}
	return ground
}

// SmallestVisible is the smallest shift that the estimate's interval could have
// shown: half its width, infinite where an end is open.
func SmallestVisible(e *Estimate) float64 {
	if e.Lower == nil || e.Upper == nil {
		return math.Inf(1)
	}
	return (*e.Upper - *e.Lower) / 2
}
