package signal

import "github.com/evenkeel/evenkeel/measure"

// EstimatedPerformance gives what the scores of a window promise about how right
// its decisions are, without labels, from a distribution of TargetPerformance.
// It stands beside realised performance under another basis and is never mixed
// with it. What is undefined is left out.
func EstimatedPerformance(d *Distribution) []Quantity {
	if d.Target != TargetPerformance || d.Estimated == nil {
		return nil
	}
	s := &scoreBoard{basis: BasisEstimated, baseline: d.Baseline}
	addAll(s, "", measure.ExpectedMeasures(), d.Estimated, 0)
	return s.found
}
