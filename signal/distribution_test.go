package signal

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func merged(t *rapid.T, a, b *Distribution) *Distribution {
	out := a.Clone()
	if err := out.Merge(b); err != nil {
		t.Fatal(err)
	}
	return out
}

// alike gives all windows one name, since Merge keeps the left one's.
func alike(d *Distribution) *Distribution {
	d.Model, d.Window, d.Parts = ModelRef{Name: "m"}, WindowID{Instance: "agent", Sequence: 1}, 1
	return d
}

func TestMergeIsAssociativeAndCommutative(t *testing.T) {
	one := rapid.Custom(func(t *rapid.T) *Distribution {
		d := distributions(4).Draw(t, "distribution")
		d.Groups = groupTables().Draw(t, "groups")
		if d.Embedded == nil && total(d.Counts) > 0 {
			d.Embedded = make([]float64, 4) // rows have sums
		}
		return alike(d)
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := one.Draw(t, "a"), one.Draw(t, "b"), one.Draw(t, "c")
		left, right := merged(t, merged(t, a, b), c), merged(t, a, merged(t, b, c))
		if !equal(left, right) {
			t.Fatalf("(a b) c is %+v\na (b c) is %+v", left, right)
		}
		if ab, ba := merged(t, a, b), merged(t, b, a); !equal(ab, ba) {
			t.Fatalf("a b is %+v\nb a is %+v", ab, ba)
		}
		if err := left.check(); err != nil {
			t.Fatalf("the merged cells do not add up: %v", err)
		}
	})
}

// Counting in parts and merging is counting the whole.
func TestMergeOfPartsIsTheWhole(t *testing.T) {
	number := rapid.Map(rapid.IntRange(-50, 50), func(i int) float64 { return float64(i) })
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(number, 1, 200).Draw(t, "values")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		f := mustBuild(t, []Column{{Name: "x", Target: TargetFeature, Numbers: values}}, BuildOptions{}).Features[0]
		whole := windowOf(&f, values)
		if parts := merged(t, windowOf(&f, values[:cut]), windowOf(&f, values[cut:])); !equal(parts, whole) {
			t.Fatalf("parts %+v\nwhole %+v", parts, whole)
		}
	})
}

// What is merged into stands alone: the other window is not changed by what
// comes later.
func TestMergeSharesNothing(t *testing.T) {
	d := &Distribution{Counts: []uint64{0}}
	o := &Distribution{
		Counts: []uint64{2}, N: 2, Embedded: []float64{1, 2}, Distinct: new(measure.HyperLogLog),
		Estimated: &measure.ExpectedPerformance{Rows: 2, Positives: []float64{1}, Negatives: []float64{1}},
		Groups:    []GroupCount{{Group: "a", Total: 2, Requests: &measure.Requests{Count: 1, Rows: 2, RowsSquared: 4}}},
	}
	before := o.Clone()
	for range 2 {
		if err := d.Merge(o); err != nil {
			t.Fatal(err)
		}
	}
	d.Distinct.Add(1)
	if !equal(o, before) {
		t.Errorf("merged from %+v, which became %+v", before, o)
	}
	if got := *d.Groups[0].Requests; got != (measure.Requests{Count: 2, Rows: 4, RowsSquared: 8}) || d.Estimated.Rows != 4 || d.Embedded[1] != 4 {
		t.Errorf("twice: %+v of %+v", got, d)
	}
}

// Rows that came one in a request make requests of their own.
func TestMergeOfRequests(t *testing.T) {
	single := &Distribution{Groups: []GroupCount{{Group: "a", Favourable: 3, Total: 5}}}
	if err := single.Merge(single.Clone()); err != nil || single.Groups[0].Requests != nil {
		t.Fatalf("%v: %+v", err, single.Groups[0].Requests)
	}
	var r measure.Requests
	if err := r.Add(measure.Proportion{Favourable: 4, Total: 4}); err != nil {
		t.Fatal(err)
	}
	if err := single.Merge(&Distribution{Groups: []GroupCount{{Group: "a", Favourable: 4, Total: 4, Requests: &r}}}); err != nil {
		t.Fatal(err)
	}
	var want measure.Requests
	for _, p := range []measure.Proportion{{Favourable: 6, Total: 10}, {Favourable: 4, Total: 4}} {
		rows := []measure.Proportion{p}
		if p.Total == 10 {
			rows = nil
			for i := range p.Total {
				rows = append(rows, measure.Proportion{Favourable: min(1, p.Favourable-min(i, p.Favourable)), Total: 1})
			}
		}
		for _, row := range rows {
			if err := want.Add(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := *single.Groups[0].Requests; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestMergeRefusesOtherBounds(t *testing.T) {
	for name, change := range map[string]func(*Distribution){
		"bounds":  func(d *Distribution) { d.Bounds = "sha256:3" },
		"feature": func(d *Distribution) { d.Feature = "age" },
		"target":  func(d *Distribution) { d.Target = TargetPrediction },
		"cells":   func(d *Distribution) { d.Counts = append(d.Counts, 0) },
		"rate":    func(d *Distribution) { d.Rate = 0.5 },
		"sums":    func(d *Distribution) { d.Embedded = []float64{1} },
		"calibrator": func(d *Distribution) {
			d.Estimated = &measure.ExpectedPerformance{Positives: []float64{1}, Negatives: []float64{1}}
		},
	} {
		a := anyDistribution()
		a.Embedded, a.Estimated = []float64{1, 2}, &measure.ExpectedPerformance{Positives: []float64{1, 2}, Negatives: []float64{1, 2}}
		before, other := a.Clone(), a.Clone()
		change(other)
		if err := a.Merge(other); err == nil || !equal(a, before) {
			t.Errorf("other %s: %v, and a is %+v", name, err, a)
		}
	}
}
