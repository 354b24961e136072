package fleet

import (
	"cmp"
	"context"
	"slices"

	"github.com/evenkeel/evenkeel/signal"
)

// What a record explains: columns beyond a population stability index, the
// largest of them.
const (
	explainedPSI     = 0.1
	explainedColumns = 100
)

// explain says in one sentence each what moved in the columns that moved most.
// It depends on counts alone, so that the same windows give the same sentences.
// A column that was counted under two baselines is told by the larger shift.
func (f *Fleet) explain(ctx context.Context, m *merged) (map[signal.FeatureName]string, error) {
	type moved struct {
		name signal.FeatureName
		psi  float64
		text string
	}
	var all []moved
	for _, c := range m.ordered() {
		if !followed(c.target, c.feature) { // the cells of the others mean nothing to people
			continue
		}
		base, err := f.baseline(ctx, c.sum.Baseline)
		if err != nil {
			return nil, err
		}
		feature := base.column(c.column)
		if feature == nil {
			continue
		}
		psi, err := feature.PSI(c.sum)
		if err != nil || !(psi.Value > explainedPSI) {
			continue // what is undefined has not moved
		}
		if text, err := feature.Explain(c.sum); err == nil {
			all = append(all, moved{c.feature, psi.Value, text})
		}
	}
	slices.SortStableFunc(all, func(a, b moved) int { return cmp.Compare(b.psi, a.psi) })
	var out map[signal.FeatureName]string
	for _, one := range all {
		if _, told := out[one.name]; told || len(out) == explainedColumns {
			continue
		}
		if out == nil {
			out = map[signal.FeatureName]string{}
		}
		out[one.name] = one.text
	}
	return out, nil
}
