package signal

import (
	"errors"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

func TestEvidence(t *testing.T) {
	f := &FeatureBaseline{Name: "home", Kind: Categorical, Categories: []string{"own", "rent"}, Counts: []uint64{5000, 5000}, N: 10000}
	window := func(own, rent, missing uint64) *Distribution {
		return &Distribution{Target: TargetFeature, Feature: "home", Kind: Categorical, Counts: []uint64{own, rent}, Missing: missing}
	}
	after := func(windows ...*Distribution) measure.DriftEvidence {
		var e measure.DriftEvidence
		for _, d := range windows {
			var err error
			if e, err = f.Evidence(e, d); err != nil {
				t.Fatal(err)
			}
		}
		return e
	}
	alarm := func(e measure.DriftEvidence, columns int) float64 {
		found := Evidences(e, window(0, 0, 0), columns)
		if len(found) != 2 || found[0].Metric != MetricDriftEvidence || found[1].Metric != MetricDriftAlarm || found[0].Estimate.Samples != e.Rows {
			t.Fatalf("%+v", found)
		}
		return found[1].Estimate.Value
	}
	quiet := after(window(510, 490, 0), window(480, 520, 0), window(0, 0, 0))
	if quiet.Windows != 2 || quiet.Rows != 2000 || alarm(quiet, 1) != 0 {
		t.Errorf("a window like the baseline: %+v", quiet)
	}
	// Missing values are a cell: they count as drift as well.
	for name, d := range map[string]*Distribution{"other shares": window(700, 300, 0), "missing": window(400, 400, 200)} {
		if e := after(d); alarm(e, 1) != 1 {
			t.Errorf("%s: no alarm with %+v", name, e.Estimate())
		}
	}
	if e := after(window(670, 330, 0)); alarm(e, 1) != 1 || alarm(e, 1_000_000_000) != 0 {
		t.Errorf("evidence %v is enough for one column and too little for many", e.Estimate().Value)
	}
	if _, err := f.Evidence(quiet, &Distribution{Counts: []uint64{1}}); err == nil || errors.Is(err, measure.ErrUndefined) {
		t.Errorf("other cells: %v", err)
	}
	if _, err := f.Evidence(measure.DriftEvidence{Windows: 1}, window(1, 1, 0)); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("evidence of other cells: %v", err)
	}
	if found := Evidences(quiet, window(0, 0, 0), 0); len(found) != 1 {
		t.Errorf("no columns: %+v", found)
	}
}
