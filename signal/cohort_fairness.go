package signal

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// fairness gives what only labels can tell about the groups of an attribute:
// every group against the reference group by each measure of
// measure.DisparityMeasures that needs labels, and the calibration error of each
// group by itself. Intervals are simultaneous over the judged groups. Rates of
// selection need no labels and come with the windows over rows.
func (c *Cohort) fairness(b *Baseline, a *AttributeOutcomes, o FairnessOptions) []Quantity {
	reference := a.reference(b, o.Reference)
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

// reference is the declared group, else the baseline's, else the largest known
// one, of equally large ones the first.
func (a *AttributeOutcomes) reference(b *Baseline, declared string) string {
	if declared != "" {
		return declared
	}
	if b != nil {
		if g := b.Group(a.Attribute); g != nil && g.Reference != "" {
			return g.Reference
		}
	}
	known := slices.DeleteFunc(slices.Clone(a.Groups), func(g GroupOutcomes) bool { return g.Group == GroupUnknown })
	if len(known) == 0 {
		return ""
	}
	return slices.MaxFunc(known, func(a, b GroupOutcomes) int {
		return cmp.Or(cmp.Compare(a.Predictions, b.Predictions), cmp.Compare(b.Group, a.Group))
	}).Group
}
