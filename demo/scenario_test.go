package demo

import (
	"encoding/json"
	"math"
	"slices"
	"sort"
	"testing"

	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/signal"
)

// window profiles rows of a scenario as an agent would: counts in the
// baseline's cells, and the table of groups.
type window struct {
	counts map[signal.FeatureName]*signal.Distribution
	groups map[string]*signal.GroupCount
}

func profile(t *testing.T, s *loanStory, b *signal.Baseline, rows int) window {
	t.Helper()
	w := window{map[signal.FeatureName]*signal.Distribution{}, map[string]*signal.GroupCount{}}
	for _, f := range b.Features {
		w.counts[f.Name] = &signal.Distribution{Counts: make([]uint64, len(f.Counts))}
	}
	for seen := 0; seen < rows; {
		request, n := s.Next()
		in := &modelserver.Inputs{Rows: n, Numbers: map[string][]float64{}, Texts: map[string][]string{}}
		for _, tensor := range request.Inputs {
			w.addTensor(t, b, tensor, in)
		}
		outputs, err := s.model.Infer(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, tensor := range outputs {
			w.addTensor(t, b, tensor, in)
		}
		for i, gender := range in.Texts["gender"] {
			if w.groups[gender] == nil {
				w.groups[gender] = &signal.GroupCount{Group: gender}
			}
			w.groups[gender].Total++
			w.groups[gender].Favourable += uint64(in.Numbers["approved"][i])
		}
		seen += n
	}
	return w
}

func (w window) addTensor(t *testing.T, b *signal.Baseline, tensor modelserver.Tensor, in *modelserver.Inputs) {
	t.Helper()
	name := signal.FeatureName(tensor.Name)
	f := b.Feature(signal.TargetFeature, name)
	if f == nil {
		f = b.Feature(signal.TargetPrediction, name)
	}
	if tensor.Datatype == "BYTES" {
		var values []*string
		if err := json.Unmarshal(tensor.Data, &values); err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			switch {
			case v == nil:
				in.Texts[tensor.Name] = append(in.Texts[tensor.Name], "")
				w.counts[name].Missing++
				continue
			case f != nil:
				w.counts[name].Counts[slices.Index(f.Categories, *v)]++
			}
			in.Texts[tensor.Name] = append(in.Texts[tensor.Name], *v)
		}
		return
	}
	var values []float64
	if err := json.Unmarshal(tensor.Data, &values); err != nil {
		t.Fatal(err)
	}
	in.Numbers[tensor.Name] = values
	for _, v := range values {
		w.counts[name].Counts[sort.SearchFloat64s(f.Grid, v)]++ // the first edge that is not below v: cells are (a, b]
	}
}

func (w window) psi(t *testing.T, b *signal.Baseline) map[signal.FeatureName]float64 {
	t.Helper()
	out := map[signal.FeatureName]float64{}
	for _, f := range b.Features {
		if f.Target != signal.TargetFeature {
			continue
		}
		e, err := f.PSI(w.counts[f.Name])
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = e.Value
	}
	return out
}

func (w window) parity(t *testing.T) signal.Disparity {
	t.Helper()
	var groups []signal.GroupCount
	for _, g := range w.groups {
		groups = append(groups, *g)
	}
	for _, d := range signal.Disparities(groups, signal.FairnessOptions{Reference: "male", Confidence: 0.95, MinShare: 0.02}) {
		if d.Metric == signal.FairnessParityDifference {
			return d
		}
	}
	t.Fatal("no parity difference")
	return signal.Disparity{}
}

// Even the smallest window that the options allow must be quiet before the
// turn, for every seed that somebody may choose, and loud after it. 300
// windows of 400 rows are quiet with room to spare: a DRF-01 record would need
// two failing windows in a row.
func TestNoRuleFailsBeforeTheTurnAndBothFailAfterIt(t *testing.T) {
	b, err := newLoanStory(1).Baseline()
	if err != nil {
		t.Fatal(err)
	}
	worst, widest := 0.0, 0.0
	calmest, narrowest := math.Inf(1), math.Inf(-1)
	for seed := range uint64(60) {
		s := newLoanStory(seed)
		for range 5 {
			w := profile(t, s, b, fewestRows)
			for name, psi := range w.psi(t, b) {
				if worst = max(worst, psi); psi > 0.15 {
					t.Errorf("seed %d, before the turn: PSI of %s is %.3f", seed, name, psi)
				}
			}
			d := w.parity(t).Estimate
			widest = max(widest, math.Abs(d.Value))
			if *d.Lower > 0.1 || *d.Upper < -0.1 {
				t.Errorf("seed %d, before the turn: parity fails with [%.3f, %.3f]", seed, *d.Lower, *d.Upper)
			}
		}
		if s.Turn() == "" {
			t.Fatal("the turn says nothing")
		}
		for range 2 {
			w := profile(t, s, b, fewestRows)
			for name, psi := range w.psi(t, b) {
				if name == "income" {
					calmest = min(calmest, psi)
				} else if psi > 0.15 {
					t.Errorf("seed %d, after the turn: PSI of %s is %.3f", seed, name, psi)
				}
			}
			narrowest = max(narrowest, *w.parity(t).Estimate.Upper)
		}
	}
	t.Logf("windows of %d rows: before the turn PSI <= %.3f, |parity| <= %.3f; after it PSI of income >= %.3f, parity's upper limit <= %.3f",
		fewestRows, worst, widest, calmest, narrowest)
	if calmest < 0.3 {
		t.Errorf("after the turn the PSI of income may be as low as %.3f, limit 0.25", calmest)
	}
	full := profile(t, turned(7), b, 1600)
	if d := full.parity(t).Estimate; *d.Upper > -0.1 {
		t.Errorf("a whole window after the turn: parity [%.3f, %.3f] does not fail", *d.Lower, *d.Upper)
	}
}

func turned(seed uint64) *loanStory {
	s := newLoanStory(seed)
	s.Turn()
	return s
}

func TestBaselineIsTheSameEveryTime(t *testing.T) {
	a, err := newLoanStory(1).Baseline()
	if err != nil {
		t.Fatal(err)
	}
	b, err := newLoanStory(2).Baseline()
	if err != nil {
		t.Fatal(err)
	}
	da, err := a.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if db, err := b.Digest(); err != nil || da != db {
		t.Errorf("digests %s and %s, %v", da, db, err)
	}
	if a.Feature(signal.TargetFeature, "gender") != nil {
		t.Error("the protected attribute is profiled as a feature")
	}
	if g := a.Group("gender"); g == nil || g.Reference != "male" || len(g.Counts) != 2 {
		t.Errorf("groups %+v", a.Groups)
	}
}
