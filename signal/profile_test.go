package signal

import (
	"maps"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// distributions draws what a window may hold, with cells under fixed bounds.
func distributions(cells int) *rapid.Generator[*Distribution] {
	return rapid.Custom(func(t *rapid.T) *Distribution {
		count := rapid.Uint64Range(0, 1_000_000)
		start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		d := &Distribution{
			Model:    ModelRef{Name: "loan-approval", Version: rapid.SampledFrom([]string{"", "3"}).Draw(t, "version")},
			Window:   WindowID{Instance: "agent-" + InstanceID(rapid.StringMatching("[a-z]{1,5}").Draw(t, "instance")), Sequence: rapid.Uint64Range(1, 1<<62).Draw(t, "sequence")},
			Start:    start,
			End:      start.Add(time.Duration(rapid.Int64Range(1, int64(240*time.Hour)).Draw(t, "length"))),
			Parts:    rapid.IntRange(1, 500).Draw(t, "parts"),
			Baseline: "sha256:1", Bounds: "sha256:2",
			Target: TargetFeature, Feature: "income", Kind: Numeric,
			Counts:  rapid.SliceOfN(count, cells, cells).Draw(t, "counts"),
			Missing: count.Draw(t, "missing"), Other: count.Draw(t, "other"), New: count.Draw(t, "new"), Invalid: count.Draw(t, "invalid"),
			Min: math.NaN(), Max: math.NaN(),
			Capture: Capture{Seen: count.Draw(t, "seen"), Profiled: count.Draw(t, "profiled"), SampledOut: count.Draw(t, "sampled"), Dropped: count.Draw(t, "dropped"), Undecodable: count.Draw(t, "undecodable")},
		}
		d.N = d.Missing + d.Other + d.New + d.Invalid
		for _, c := range d.Counts {
			d.N += c
		}
		if rapid.Bool().Draw(t, "has values") {
			// Whole numbers, so that adding them is associative.
			whole := rapid.Map(rapid.IntRange(-1000, 1000), func(i int) float64 { return float64(i) })
			d.Sum, d.SumSquares = whole.Draw(t, "sum"), whole.Draw(t, "sum of squares")
			d.Min = whole.Draw(t, "min")
			d.Max = d.Min + float64(rapid.IntRange(0, 9).Draw(t, "span"))
		}
		return d
	})
}

func groupTables() *rapid.Generator[[]GroupCount] {
	return rapid.Custom(func(t *rapid.T) []GroupCount {
		var groups []GroupCount
		for _, name := range []string{GroupUnknown, "female", "male", "other"} {
			if rapid.Bool().Draw(t, "has "+name) {
				total := rapid.Uint64Range(0, 1000).Draw(t, "total")
				groups = append(groups, GroupCount{Group: name, Total: total, Favourable: rapid.Uint64Range(0, total).Draw(t, "favourable")})
			}
		}
		return groups
	})
}

// received is the map that a receiver makes of the attributes.
func received(attrs []Attr) map[string]any {
	m := map[string]any{}
	for _, a := range attrs {
		if list, ok := a.Value.([]int64); ok {
			elements := make([]any, len(list))
			for i, v := range list {
				elements[i] = v
			}
			m[a.Key] = elements
			continue
		}
		m[a.Key] = a.Value
	}
	return m
}

// equal compares distributions; NaN equals NaN, nil equals empty.
func equal(a, b *Distribution) bool {
	x, y := *a, *b
	for _, d := range []*Distribution{&x, &y} {
		if math.IsNaN(d.Min) {
			d.Min, d.Max = math.Inf(1), math.Inf(-1)
		}
		if len(d.Groups) == 0 {
			d.Groups = nil
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestDistributionSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := distributions(rapid.IntRange(0, 12).Draw(t, "cells")).Draw(t, "distribution")
		if rapid.Bool().Draw(t, "of groups") {
			d.Target, d.Kind, d.Counts, d.Groups = TargetGroup, Categorical, []uint64{}, groupTables().Draw(t, "groups")
		}
		back, err := DecodeDistribution(received(EncodeDistribution(d)))
		if err != nil {
			t.Fatal(err)
		}
		if !equal(d, back) {
			t.Fatalf("sent %+v\ngot  %+v", d, back)
		}
	})
}

func anyDistribution() *Distribution { return distributions(3).Example(1) }

func TestDecodeNamesTheAttribute(t *testing.T) {
	good := received(EncodeDistribution(anyDistribution()))
	for key := range good {
		if key == keyMin { // its absence means that there was no value
			continue
		}
		spoiled := maps.Clone(good)
		delete(spoiled, key)
		if _, err := DecodeDistribution(spoiled); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("without %s: %v", key, err)
		}
	}
	for name, c := range map[string]struct {
		key   string
		value any
	}{
		"negative":        {keyMissing, int64(-1)},
		"text for count":  {keyN, "12"},
		"negative cell":   {keyCounts, []any{int64(1), int64(-1), int64(0)}},
		"cell is a text":  {keyCounts, []any{"1", int64(1), int64(0)}},
		"wrong sum":       {keyN, int64(1 << 60)},
		"no model":        {KeyModelName, ""},
		"sequence 0":      {keyWindowSequence, int64(0)},
		"ends at start":   {keyWindowEnd, good[keyWindowStart]},
		"groups not JSON": {keyGroups, "{"},
	} {
		spoiled := maps.Clone(good)
		spoiled[c.key] = c.value
		if _, err := DecodeDistribution(spoiled); err == nil || !strings.Contains(err.Error(), c.key) {
			t.Errorf("%s: got %v, want a word on %s", name, err, c.key)
		}
	}
}

func TestDecodeRefusesTablesThatDoNotAddUp(t *testing.T) {
	d := anyDistribution()
	d.Target, d.Counts = TargetGroup, []uint64{}
	for _, groups := range [][]GroupCount{
		{{Group: "a", Favourable: 2, Total: 1}},
		{{Group: "b", Total: 1}, {Group: "a", Total: 1}},
		{{Group: "a", Total: 1}, {Group: "a", Total: 1}},
	} {
		d.Groups = groups
		if _, err := DecodeDistribution(received(EncodeDistribution(d))); err == nil || !strings.Contains(err.Error(), keyGroups) {
			t.Errorf("%v: %v", groups, err)
		}
	}
}

// Whatever is received, the decoder answers with a distribution that it would
// itself encode and decode again, or with an error.
func FuzzDecodeDistribution(f *testing.F) {
	f.Add("m", "x", "feature", "numeric", int64(1), int64(0), int64(10), int64(5), int64(5), 0.0, 1.0, `[]`, uint8(0))
	f.Add("", "", "group", "", int64(0), int64(-1), int64(1), int64(2), int64(1<<62), math.NaN(), math.Inf(1), `[{"group":"a","favourable":1,"total":2}]`, uint8(7))
	f.Fuzz(func(t *testing.T, model, feature, target, kind string, sequence, start, end, cell, n int64, sum, least float64, groups string, drop uint8) {
		attrs := received(EncodeDistribution(anyDistribution()))
		attrs[KeyModelName], attrs[KeyFeatureName], attrs[keyTarget], attrs[keyFeatureKind] = model, feature, target, kind
		attrs[keyWindowSequence], attrs[keyWindowStart], attrs[keyWindowEnd] = sequence, start, end
		attrs[keyCounts], attrs[keyN], attrs[keyMissing] = []any{cell}, n, int64(0)
		attrs[keyOther], attrs[keyNew], attrs[keyInvalid] = int64(0), int64(0), int64(0)
		attrs[keySum], attrs[keyMin], attrs[keyMax], attrs[keyGroups] = sum, least, least, groups
		if keys := []string{keyN, keyCounts, keySum, keyMax, keyGroups}; int(drop) < len(keys) {
			delete(attrs, keys[drop])
		}
		d, err := DecodeDistribution(attrs)
		if err != nil {
			return
		}
		if _, err := DecodeDistribution(received(EncodeDistribution(d))); err != nil {
			t.Fatalf("decoded once, not twice: %v\n%+v", err, d)
		}
	})
}

func TestWindowIDReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := WindowID{Instance: InstanceID(rapid.StringN(1, 20, -1).Draw(t, "instance")), Sequence: rapid.Uint64().Draw(t, "sequence")}
		if back, err := ParseWindowID(id.String()); err != nil || back != id {
			t.Fatalf("%v became %v, %v", id, back, err)
		}
	})
	for _, s := range []string{"", "/1", "agent", "agent/", "agent/-1", "agent/x"} {
		if _, err := ParseWindowID(s); err == nil {
			t.Errorf("%q is no window id", s)
		}
	}
}
