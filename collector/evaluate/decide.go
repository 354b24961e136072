package evaluate

import (
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// Grounds of verdicts that are not on a value, beside those of measure.
const (
	groundNotComputable measure.Ground = "not_computable" // the queries failed
	groundFound         measure.Ground = "found"          // subjects have turned up
)

// decide gives the verdict on a reading, nil where there is none, and why: by
// measure.Decide, which states the order and which everyone else asks as well.
func decide(rule *rules.Effective, r *reading) (signal.Verdict, measure.Ground) {
	ground := measure.Decide(r.estimate(), measure.Requirement{
		Fail: rule.Fail, Warn: rule.Warn, Confident: rule.Decide == rules.Confident,
		MinSamples: rule.Method.MinSamples, Margin: rule.Method.Margin,
	})
	return signal.VerdictOn(ground), ground
}

// estimate is the reading as measure judges it; nil for none.
func (r *reading) estimate() *measure.Estimate {
	if r == nil {
		return nil
	}
	return &measure.Estimate{Value: r.value, Lower: r.lower, Upper: r.upper, Samples: r.samples}
}

// worse says that one verdict outweighs another on the same subject.
func worse(a, b signal.Verdict) bool { return severity[a] > severity[b] }

var severity = map[signal.Verdict]int{signal.Pass: 0, signal.NoData: 1, signal.Warn: 2, signal.Error: 3, signal.Fail: 4}
