package signal

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// clone copies a distribution so that merging into it leaves the original.
func clone(d *Distribution) *Distribution {
	c := *d
	c.Counts, c.Groups = slices.Clone(d.Counts), slices.Clone(d.Groups)
	return &c
}

func merged(t *rapid.T, a, b *Distribution) *Distribution {
	out := clone(a)
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

func TestMergeRefusesOtherBounds(t *testing.T) {
	for name, change := range map[string]func(*Distribution){
		"bounds":  func(d *Distribution) { d.Bounds = "sha256:3" },
		"feature": func(d *Distribution) { d.Feature = "age" },
		"target":  func(d *Distribution) { d.Target = TargetPrediction },
		"cells":   func(d *Distribution) { d.Counts = append(d.Counts, 0) },
	} {
		a := anyDistribution()
		before, other := clone(a), clone(a)
		change(other)
		if err := a.Merge(other); err == nil || !equal(a, before) {
			t.Errorf("other %s: %v, and a is %+v", name, err, a)
		}
	}
}
