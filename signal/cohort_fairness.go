package signal

import (
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// fairness gives what only labels can tell about the groups of an attribute:
// every group against the reference group by each measure of
// measure.DisparityMeasures that needs labels, and the calibration error of each
// group by itself. Intervals are simultaneous over the judged groups. Rates of
// selection need no labels and come with the windows over rows.
func (c *Cohort) fairness(b *Baseline, a *AttributeOutcomes, o FairnessOptions) []Quantity {
	reference := referenceGroup(b, a.Attribute, a.counts(), o.Reference)
	judged := func(g *GroupOutcomes) bool {
		return float64(g.Predictions) >= float64(o.MinShare*float64(c.All.Predictions))
	}
	groups, compared := 0, 0
	for i := range a.Groups {
		if judged(&a.Groups[i]) {
			groups++
			if a.Groups[i].Group != reference {
				compared++
			}
		}
	}
	out := a.disparities(reference, measure.Bonferroni(o.Confidence, compared), judged)
	confidence := measure.Bonferroni(o.Confidence, groups)
	for i := range a.Groups {
		g := &a.Groups[i]
		e, err := measure.CorrectedECE(g.Scores, confidence, seedOf(g.Scores))
		if err != nil || !g.probabilities() {
			continue
		}
		out = append(out, Quantity{Metric: MetricDisparity, Dimensions: []Dimension{
			{KeyFairnessMetric, FairnessCalibration},
			{KeyProtected, string(a.Attribute)},
			{KeyGroup, g.Group},
			{KeyGroupJudged, strconv.FormatBool(judged(g))},
		}, Estimate: e})
	}
	return out
}

// disparities compares every group with the reference group.
func (a *AttributeOutcomes) disparities(reference string, confidence float64, judged func(*GroupOutcomes) bool) []Quantity {
	at, found := a.find(reference)
	if !found {
		return nil
	}
	var out []Quantity
	for _, m := range measure.DisparityMeasures() {
		if !m.Labels {
			continue
		}
		for i := range a.Groups {
			g := &a.Groups[i]
			if i == at {
				continue
			}
			e, err := m.Of(g.Confusion, a.Groups[at].Confusion, confidence)
			if err != nil {
				continue
			}
			out = append(out, Quantity{Metric: MetricDisparity, Dimensions: []Dimension{
				{KeyFairnessMetric, m.Name},
				{KeyProtected, string(a.Attribute)},
				{KeyGroup, g.Group},
				{KeyReferenceGroup, reference},
				{KeyGroupJudged, strconv.FormatBool(judged(g))},
			}, Estimate: e})
		}
	}
	return out
}

// counts gives how many predictions each group has.
func (a *AttributeOutcomes) counts() []GroupCount {
	out := make([]GroupCount, len(a.Groups))
	for i := range a.Groups {
		out[i] = GroupCount{Group: a.Groups[i].Group, Total: a.Groups[i].Predictions}
	}
	return out
}
