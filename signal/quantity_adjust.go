package signal

import "github.com/evenkeel/evenkeel/measure"

// AdjustP sets beside each p-value of a window's drifts the one adjusted by
// Benjamini and Hochberg over all columns of the same method and target: to look
// at the columns whose adjusted value is at most q is to be misled by at most the
// share q of them, on average. drifts are those of one window, all columns
// together; an adjusted value that is there already is set anew.
func AdjustP(drifts []Quantity) {
	type family struct{ metric, method, target string }
	members := map[family][]int{}
	var families []family
	for i := range drifts {
		q := &drifts[i]
		if _, ok := q.Sibling(SuffixP); !ok {
			continue
		}
		f := family{q.Metric, q.Dimension(KeyDriftMethod), q.Dimension(KeyDriftTarget)}
		if members[f] == nil {
			families = append(families, f)
		}
		members[f] = append(members[f], i)
	}
	for _, f := range families {
		p := make([]float64, len(members[f]))
		for k, i := range members[f] {
			p[k], _ = drifts[i].Sibling(SuffixP)
		}
		adjusted, err := measure.BenjaminiHochberg(p)
		if err != nil {
			continue // a p-value that is none: nothing is adjusted by it
		}
		for k, i := range members[f] {
			drifts[i].setSibling(SuffixPAdjusted, adjusted[k])
		}
	}
}

func (q *Quantity) setSibling(suffix string, value float64) {
	for i := range q.Beside {
		if q.Beside[i].Suffix == suffix {
			q.Beside[i].Value = value
			return
		}
	}
	q.Beside = append(q.Beside, Sibling{suffix, value})
}
