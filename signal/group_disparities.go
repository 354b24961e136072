package signal

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// GroupDisparities gives everything that the table of one protected attribute
// says: every group against the reference group, the impact ratio over all
// judged groups, and the share of rows whose group is known. The attribute
// evenkeel.group.judged is false for groups that hold too few of the rows. Beside
// the parity difference of a judged group stands the p-value of equal shares, and
// the one adjusted by Holm over all judged groups.
//
// The reference group is the options', else the baseline's (b may be nil), else
// the largest known group of this window, of equally large ones the first.
func GroupDisparities(b *Baseline, d *Distribution, o FairnessOptions) []Quantity {
	o.Reference = referenceGroup(b, d.Feature, d.Groups, o.Reference)
	var out []Quantity
	for _, x := range Disparities(d.Groups, o) {
		out = append(out, Quantity{Metric: MetricDisparity, Dimensions: []Dimension{
			{KeyFairnessMetric, x.Metric},
			{KeyProtected, string(d.Feature)},
			{KeyGroup, x.Group},
			{KeyReferenceGroup, x.Reference},
			{KeyGroupJudged, strconv.FormatBool(x.Judged)},
		}, Estimate: x.Estimate})
	}
	explainParity(out, d.Groups)
	if e, err := impactRatio(d.Groups, o); err == nil {
		out = append(out, Quantity{Metric: MetricDisparity, Dimensions: []Dimension{
			{KeyFairnessMetric, FairnessImpactRatio},
			{KeyProtected, string(d.Feature)},
			{KeyGroupJudged, "true"},
		}, Estimate: e})
	}
	if e, err := coverage(d.Groups, o.Confidence); err == nil {
		out = append(out, Quantity{Metric: MetricFairnessCoverage, Dimensions: []Dimension{{KeyProtected, string(d.Feature)}}, Estimate: e})
	}
	return out
}

// explainParity sets the p-values of equal shares beside the parity differences of
// the judged groups.
func explainParity(disparities []Quantity, groups []GroupCount) {
	shares := map[string]measure.Proportion{}
	for _, g := range groups {
		shares[g.Group] = measure.Proportion{Favourable: g.Favourable, Total: g.Total}
	}
	var p []float64
	var of []*Quantity
	for i := range disparities {
		q := &disparities[i]
		if q.Dimension(KeyFairnessMetric) != FairnessParityDifference || q.Dimension(KeyGroupJudged) != "true" {
			continue
		}
		if x, err := measure.ProportionsTest(shares[q.Dimension(KeyGroup)], shares[q.Dimension(KeyReferenceGroup)]); err == nil {
			p, of = append(p, x), append(of, q)
		}
	}
	adjusted, err := measure.Holm(p)
	if err != nil {
		return
	}
	for i, q := range of {
		q.Beside = []Sibling{{SuffixP, p[i]}, {SuffixPAdjusted, adjusted[i]}}
	}
}

// impactRatio compares the judged groups with each other.
func impactRatio(groups []GroupCount, o FairnessOptions) (measure.Estimate, error) {
	rows := weightOf(groups)
	var judged []measure.Proportion
	for _, g := range groups {
		if g.Total > 0 && o.judges(g, rows) {
			judged = append(judged, measure.Proportion{Favourable: g.Favourable, Total: g.Total})
		}
	}
	return measure.ImpactRatio(judged, o.Confidence)
}

// conventionCoverage is that of the share of rows whose group is known.
const conventionCoverage = "group_coverage/wilson@1"

func coverage(groups []GroupCount, confidence float64) (measure.Estimate, error) {
	var all measure.Weights
	var known float64
	for _, g := range groups {
		w := g.standsFor()
		if g.Total > 0 { // effective rows are w^2 over the sum of squares
			all.Merge(measure.Weights{Sum: w, Squares: float64(w * (w / float64(g.Total)))})
		}
		if g.Group != GroupUnknown {
			known += w
		}
	}
	e, err := measure.WeightedProportion(min(known, all.Sum), all, 1, confidence)
	e.Convention = conventionCoverage
	return e, err
}

// referenceGroup is what the groups of an attribute are compared with: the
// declared group, else the baseline's (b may be nil), else the largest known one,
// of equally large ones the first; "" where none is known.
func referenceGroup(b *Baseline, attribute FeatureName, groups []GroupCount, declared string) string {
	if declared != "" {
		return declared
	}
	if b != nil {
		if g := b.Group(attribute); g != nil && g.Reference != "" {
			return g.Reference
		}
	}
	known := slices.DeleteFunc(slices.Clone(groups), func(g GroupCount) bool { return g.Group == GroupUnknown || g.Total == 0 })
	if len(known) == 0 {
		return ""
	}
	return slices.MaxFunc(known, func(a, b GroupCount) int {
		return cmp.Or(cmp.Compare(a.Total, b.Total), cmp.Compare(b.Group, a.Group))
	}).Group
}
