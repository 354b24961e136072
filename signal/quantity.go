package signal

import (
	"slices"

	"github.com/evenkeel/evenkeel/measure"
)

// Quantity is one number that a window gives, ready to become a gauge with its
// siblings: an agent shows it for itself, the collector over all replicas. Each
// adds its own labels: model, scope, and what else it knows.
type Quantity struct {
	Metric     string
	Dimensions []Dimension // in a fixed order; no key is there twice
	Estimate   measure.Estimate
	Beside     []Sibling // what explains the value
}

// Sibling is a number that stands beside a Quantity under its metric's name and
// the suffix, with the same labels.
type Sibling struct {
	Suffix string // one of the Suffix constants
	Value  float64
}

// Dimension is an attribute of a Quantity.
type Dimension struct{ Key, Value string }

// Dimension gives the value of an attribute; "" where there is none.
func (q *Quantity) Dimension(key string) string {
	i := slices.IndexFunc(q.Dimensions, func(l Dimension) bool { return l.Key == key })
	if i < 0 {
		return ""
	}
	return q.Dimensions[i].Value
}

// Sibling gives the value under a suffix, and whether there is one.
func (q *Quantity) Sibling(suffix string) (float64, bool) {
	for _, s := range q.Beside {
		if s.Suffix == suffix {
			return s.Value, true
		}
	}
	return 0, false
}

// Drifts gives the drift of a column by every method that is defined for it, each
// with what explains it. The error is that of FeatureBaseline.Drift; an empty
// window gives nothing. Adjusted p-values come by AdjustP, over all columns.
func (f *FeatureBaseline) Drifts(d *Distribution) ([]Quantity, error) {
	scores, err := f.Drift(d)
	out := make([]Quantity, 0, len(scores))
	for _, s := range scores {
		out = append(out, Quantity{Metric: MetricDriftScore, Dimensions: []Dimension{
			{KeyDriftMethod, s.Method},
			{KeyDriftTarget, string(d.Target)},
			{KeyFeatureName, string(d.Feature)},
			{KeyBaselineID, d.Baseline.Short()},
		}, Estimate: s.Estimate, Beside: s.siblings()})
	}
	return out, err
}

// siblings are what explains the score, with room for the adjusted p-value.
func (s *Score) siblings() []Sibling {
	all := [...]struct {
		suffix string
		value  *float64
	}{{SuffixP, s.P}, {SuffixBound, s.Bound}, {SuffixCritical, s.Critical}, {SuffixVisible, s.Visible}}
	n := 0
	for i := range all {
		if all[i].value != nil {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	out := make([]Sibling, 0, n+1)
	for i := range all {
		if all[i].value != nil {
			out = append(out, Sibling{all[i].suffix, *all[i].value})
		}
	}
	return out
}

// driftedPSI is the index from which on a feature counts as drifted. It is
// part of the convention, as of what the share means, and equal for everyone:
// an override of the limit of a rule does not change it. Who wants the share
// beyond another limit asks for it in PromQL, from the scores themselves.
const (
	driftedPSI           = 0.25
	conventionDriftShare = "drift_feature_share/psi>0.25@1"
)

// DriftShares gives, for every baseline that the drifts are from, the share of
// the input features whose PSI is above 0.25. Features without a PSI do not
// count; without any there is no share. Its samples are the fewest rows behind
// any of them, and it has no interval: features are no sample of anything.
func DriftShares(drifts []Quantity) []Quantity {
	type tally struct{ drifted, all, rows uint64 }
	tallies := map[string]*tally{}
	var baselines []string
	for i := range drifts {
		q := &drifts[i]
		if q.Metric != MetricDriftScore || q.Dimension(KeyDriftMethod) != DriftPSI || q.Dimension(KeyDriftTarget) != string(TargetFeature) {
			continue
		}
		id := q.Dimension(KeyBaselineID)
		t := tallies[id]
		if t == nil {
			t = &tally{rows: q.Estimate.Samples}
			tallies[id] = t
			baselines = append(baselines, id)
		}
		t.all++
		t.rows = min(t.rows, q.Estimate.Samples)
		if q.Estimate.Value > driftedPSI {
			t.drifted++
		}
	}
	var out []Quantity
	for _, id := range baselines {
		t := tallies[id]
		out = append(out, Quantity{Metric: MetricDriftShare, Dimensions: []Dimension{{KeyBaselineID, id}}, Estimate: measure.Estimate{
			Value: float64(t.drifted) / float64(t.all), Samples: t.rows, Convention: conventionDriftShare,
		}})
	}
	return out
}
