package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// Whatever passes, and however often the carry is written down and read again:
// released + held = given, and nothing is released below the minimum or held
// from it on.
func TestCarryLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minimum := rapid.Uint64Range(0, 12).Draw(t, "minimum")
		carry := measure.Carry{Minimum: minimum}
		given, released := map[string][2]uint64{}, map[string][2]uint64{}
		for range rapid.IntRange(0, 30).Draw(t, "windows") {
			group := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
			counts := rapid.SliceOfN(rapid.Uint64Range(0, 6), 2, 2).Draw(t, "counts")
			before := slices.Clone(counts)
			out, err := carry.Pass(group, counts)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(counts, before) {
				t.Fatal("the counts that were given have changed")
			}
			g := given[group]
			given[group] = [2]uint64{g[0] + counts[0], g[1] + counts[1]}
			if out != nil {
				if out[0]+out[1] < minimum {
					t.Fatalf("%v released under %d", out, minimum)
				}
				r := released[group]
				released[group] = [2]uint64{r[0] + out[0], r[1] + out[1]}
			}
			if rapid.Bool().Draw(t, "restart") {
				raw, err := json.Marshal(carry)
				if err != nil {
					t.Fatal(err)
				}
				carry = measure.Carry{}
				if err := json.Unmarshal(raw, &carry); err != nil {
					t.Fatal(err)
				}
			}
		}
		var held uint64
		for group, g := range given {
			r := released[group]
			h := carry.Held[group]
			if h == nil {
				h = []uint64{0, 0}
			}
			if r[0]+h[0] != g[0] || r[1]+h[1] != g[1] {
				t.Fatalf("%s: given %v, released %v, held %v", group, g, r, h)
			}
			if h[0]+h[1] >= minimum && h[0]+h[1] > 0 {
				t.Fatalf("%s: %v is held, the minimum is %d", group, h, minimum)
			}
			held += h[0] + h[1]
		}
		if carry.Rows() != held {
			t.Fatalf("%d rows are held, it says %d", held, carry.Rows())
		}
	})
}

func TestCarryRefuses(t *testing.T) {
	carry := measure.Carry{Minimum: math.MaxUint64}
	if out, err := carry.Pass("a", []uint64{5, 1}); out != nil || err != nil {
		t.Fatal(out, err)
	}
	for what, counts := range map[string][]uint64{
		"another number of cells": {1, 2, 3},
		"a cell beyond 64 bits":   {math.MaxUint64, 0},
		"rows beyond 64 bits":     {math.MaxUint64 - 6, 3},
	} {
		if _, err := carry.Pass("a", counts); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !slices.Equal(carry.Held["a"], []uint64{5, 1}) || carry.Rows() != 6 {
		t.Errorf("held %v", carry.Held)
	}
}
