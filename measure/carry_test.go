package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// groupRows are the rows of one request.
func groupRows(t interface{ Fatal(...any) }, favourable, total uint64) measure.GroupRows {
	g := measure.GroupRows{Favourable: favourable, Total: total}
	if total > 0 {
		if err := g.Requests.Add(measure.Proportion{Favourable: favourable, Total: total}); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func plus(a, b measure.GroupRows) measure.GroupRows {
	a.Favourable += b.Favourable
	a.Total += b.Total
	a.Requests.Merge(b.Requests)
	return a
}

// Whatever passes, and however often the carry is written down and read again:
// released + held = given, sums over requests included, and nothing is released
// below the minimum or held from it on, but for what was taken back.
func TestCarryLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minimum := rapid.Uint64Range(0, 12).Draw(t, "minimum")
		carry := measure.Carry{Minimum: minimum}
		given, released := map[string]measure.GroupRows{}, map[string]measure.GroupRows{}
		takenBack := map[string]bool{}
		for range rapid.IntRange(0, 30).Draw(t, "windows") {
			group := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
			total := rapid.Uint64Range(0, 12).Draw(t, "rows")
			rows := groupRows(t, rapid.Uint64Range(0, total).Draw(t, "favourable"), total)
			out, told, err := carry.Pass(group, rows)
			if err != nil {
				t.Fatal(err)
			}
			given[group] = plus(given[group], rows)
			switch {
			case !told:
			case out.Total < minimum:
				t.Fatalf("%v released under %d", out, minimum)
			case rapid.Bool().Draw(t, "not told after all"):
				takenBack[group] = true
				if err := carry.Hold(group, out); err != nil {
					t.Fatal(err)
				}
			default:
				takenBack[group] = false
				released[group] = plus(released[group], out)
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
				if err := carry.Check(); err != nil {
					t.Fatal(err)
				}
			}
		}
		var held uint64
		for group, g := range given {
			h := carry.Held[group]
			if sum := plus(released[group], h); sum != g {
				t.Fatalf("%s: given %v, released %v, held %v", group, g, released[group], h)
			}
			if !takenBack[group] && h.Total >= minimum && h.Total > 0 {
				t.Fatalf("%s: %v is held, the minimum is %d", group, h, minimum)
			}
			held += h.Total
		}
		if carry.Rows() != held {
			t.Fatalf("%d rows are held, it says %d", held, carry.Rows())
		}
	})
}

// A minimum that was lowered lets go of what is held, also without new rows.
func TestCarryWithALowerMinimum(t *testing.T) {
	carry := measure.Carry{Minimum: 5}
	if _, told, err := carry.Pass("a", groupRows(t, 1, 3)); told || err != nil {
		t.Fatal(told, err)
	}
	carry.Minimum = 0
	out, told, err := carry.Pass("a", measure.GroupRows{})
	if err != nil || !told || out != groupRows(t, 1, 3) || carry.Rows() != 0 {
		t.Errorf("%v, %v, %v; %d rows are held still", out, told, err, carry.Rows())
	}
}

func TestCarryRefuses(t *testing.T) {
	carry := measure.Carry{Minimum: math.MaxUint64}
	if _, told, err := carry.Pass("a", groupRows(t, 5, 6)); told || err != nil {
		t.Fatal(told, err)
	}
	for what, rows := range map[string]measure.GroupRows{
		"more favourable than rows": {Favourable: 2, Total: 1},
		"rows beyond 64 bits":       {Total: math.MaxUint64 - 5},
	} {
		if _, _, err := carry.Pass("a", rows); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
		if err := carry.Hold("a", rows); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if carry.Held["a"] != groupRows(t, 5, 6) || carry.Rows() != 6 {
		t.Errorf("held %v", carry.Held)
	}
	for what, rows := range map[string]measure.GroupRows{"no rows": {}, "more favourable than rows": {Favourable: 2, Total: 1}} {
		c := measure.Carry{Held: map[string]measure.GroupRows{"a": rows}}
		if err := c.Check(); !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
