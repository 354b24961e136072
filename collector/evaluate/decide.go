package evaluate

import (
	"math"

	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// ground is why a verdict is what it is.
type ground int

const (
	absent        ground = iota // no value in this window
	notFinite                   // the expression divided by zero
	fewSamples                  // less than the rule asks for
	breached                    // the fail limit
	warned                      // the warn limit
	inconclusive                // the value is beyond the fail limit, the interval is not
	allowed                     // within the limits
	notShown                    // no breach, and the interval is precise enough to say so
	underpowered                // no breach, and the interval is too wide to say anything
	notComputable               // the queries failed
	found                       // subjects have turned up
)

// decide gives the verdict on a value. It is pure: the same reading under the
// same rule is always the same verdict.
//
// Confident rules go by the interval, in this order. Fail: every allowed value
// is excluded, whatever the number of samples. No data: fewer samples than
// asked for. Pass: the whole interval is allowed. Warn: the value is not
// allowed, but the interval does not exclude that the truth is. Pass (not
// shown): no breach, and half the interval's width is within the margin. Else
// no data: too few rows to see a shift of the margin's size.
func decide(rule *rules.Effective, r *reading) (signal.Verdict, ground) {
	switch {
	case r == nil:
		return signal.NoData, absent
	case math.IsNaN(r.value) || math.IsInf(r.value, 0):
		return signal.NoData, notFinite
	case rule.Decide == rules.Confident:
		return decideConfident(rule, r)
	case r.samples < rule.Method.MinSamples:
		return signal.NoData, fewSamples
	case rule.Fail.Breached(r.value):
		return signal.Fail, breached
	}
	return allowedOrWarned(rule, r, allowed)
}

func decideConfident(rule *rules.Effective, r *reading) (signal.Verdict, ground) {
	switch {
	case rule.Fail.Excludes(r.lower, r.upper):
		return signal.Fail, breached
	case r.samples < rule.Method.MinSamples:
		return signal.NoData, fewSamples
	case rule.Fail.Allows(r.lower, r.upper):
		return allowedOrWarned(rule, r, allowed)
	case rule.Fail.Breached(r.value):
		return signal.Warn, inconclusive
	case halfWidth(r) <= rule.Method.Margin:
		return allowedOrWarned(rule, r, notShown)
	}
	return signal.NoData, underpowered
}

func allowedOrWarned(rule *rules.Effective, r *reading, why ground) (signal.Verdict, ground) {
	if rule.Warn.Breached(r.value) {
		return signal.Warn, warned
	}
	return signal.Pass, why
}

// halfWidth is half the interval, infinite where an end is open.
func halfWidth(r *reading) float64 {
	if r.lower == nil || r.upper == nil {
		return math.Inf(1)
	}
	return (*r.upper - *r.lower) / 2
}

// worse says that one verdict outweighs another on the same subject.
func worse(a, b signal.Verdict) bool { return severity[a] > severity[b] }

var severity = map[signal.Verdict]int{signal.Pass: 0, signal.NoData: 1, signal.Warn: 2, signal.Error: 3, signal.Fail: 4}
