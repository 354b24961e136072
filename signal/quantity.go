package signal

import (
	"slices"

	"github.com/evenkeel/evenkeel/measure"
)

// Quantity is one number that a window gives, ready to become a gauge with its
// siblings: an agent shows it for itself, the collector over all replicas. Each
// adds its own labels: model, scope, and what else it knows.
type Quantity struct {
	Metric   string
	Labels   []Label // in a fixed order; no key is there twice
	Estimate measure.Estimate
}

// Label is an attribute of a Quantity.
type Label struct{ Key, Value string }

// Label gives the value of an attribute; "" where there is none.
func (q *Quantity) Label(key string) string {
	i := slices.IndexFunc(q.Labels, func(l Label) bool { return l.Key == key })
	if i < 0 {
		return ""
	}
	return q.Labels[i].Value
}

// Drifts gives the drift of a column by every method that is defined for it.
// The error is that of FeatureBaseline.Drift; an empty window gives nothing.
func (f *FeatureBaseline) Drifts(d *Distribution) ([]Quantity, error) {
	scores, err := f.Drift(d)
	out := make([]Quantity, 0, len(scores))
	for _, s := range scores {
		out = append(out, Quantity{MetricDriftScore, []Label{
			{KeyDriftMethod, s.Method},
			{KeyDriftTarget, string(d.Target)},
			{KeyFeatureName, string(d.Feature)},
			{KeyBaselineID, d.Baseline.Short()},
		}, s.Estimate})
	}
	return out, err
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
		if q.Metric != MetricDriftScore || q.Label(KeyDriftMethod) != DriftPSI || q.Label(KeyDriftTarget) != string(TargetFeature) {
			continue
		}
		id := q.Label(KeyBaselineID)
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
		out = append(out, Quantity{MetricDriftShare, []Label{{KeyBaselineID, id}}, measure.Estimate{
			Value: float64(t.drifted) / float64(t.all), Samples: t.rows, Convention: conventionDriftShare,
		}})
	}
	return out
}
