package signal

import (
	"encoding/base64"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
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
		d.OutOfRange = rapid.Uint64Range(0, total(d.Counts)).Draw(t, "out of range")
		d.Held = rapid.Uint64Range(0, 9).Draw(t, "held")
		d.Lineage = drawLineage(t, d.Capture.Profiled)
		d.Capture.OverCeiling = rapid.Uint64Range(0, d.Capture.SampledOut).Draw(t, "over the ceiling")
		d.Capture.Unread = rapid.Uint64Range(0, d.Capture.SampledOut).Draw(t, "unread")
		drawSums(t, d)
		return d
	})
}

// drawSums fills in what only some windows have, all of it in one: no window has
// it, and the laws must hold for each alike.
func drawSums(t *rapid.T, d *Distribution) {
	whole := rapid.Map(rapid.IntRange(0, 1000), func(i int) float64 { return float64(i) })
	if rapid.Bool().Draw(t, "embedded") {
		d.Embedded = rapid.SliceOfN(whole, 4, 4).Draw(t, "sums")
	}
	if rapid.Bool().Draw(t, "distinct") {
		d.Distinct = new(measure.HyperLogLog)
		for range rapid.IntRange(0, 3).Draw(t, "rows") {
			d.Distinct.Add(measure.RowHash(rapid.Uint64().Draw(t, "row")))
		}
	}
	if rapid.Bool().Draw(t, "estimated") {
		d.Estimated = &measure.ExpectedPerformance{
			Rows: uint64(rapid.IntRange(0, 99).Draw(t, "rows")), Outside: uint64(rapid.IntRange(0, 9).Draw(t, "outside")),
			TruePositive: whole.Draw(t, "tp"), FalsePositive: whole.Draw(t, "fp"),
			Positives: rapid.SliceOfN(whole, 3, 3).Draw(t, "positives"), Negatives: rapid.SliceOfN(whole, 3, 3).Draw(t, "negatives"),
		}
	}
}

func groupTables() *rapid.Generator[[]GroupCount] {
	return rapid.Custom(func(t *rapid.T) []GroupCount {
		var groups []GroupCount
		for _, name := range []string{GroupUnknown, "female", "male", "other"} {
			if rapid.Bool().Draw(t, "has "+name) {
				total := rapid.Uint64Range(0, 1000).Draw(t, "total")
				g := GroupCount{Group: name, Total: total, Favourable: rapid.Uint64Range(0, total).Draw(t, "favourable")}
				if rapid.Bool().Draw(t, "in requests") {
					r := g.requests()
					r.RowsSquared += float64(rapid.IntRange(0, 99).Draw(t, "rows squared"))
					r.Count = rapid.Uint64Range(0, total).Draw(t, "requests")
					g.Requests = &r
				}
				groups = append(groups, g)
			}
		}
		return groups
	})
}

// received is the map that a receiver makes of the attributes.
func received(attrs []Attr) map[string]any {
	m := map[string]any{}
	for _, a := range attrs {
		switch list := a.Value.(type) {
		case []int64:
			m[a.Key] = elements(list)
		case []float64:
			m[a.Key] = elements(list)
		default:
			m[a.Key] = a.Value
		}
	}
	return m
}

func elements[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
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
		if len(d.Embedded) == 0 {
			d.Embedded = nil
		}
		if len(d.Counts) == 0 {
			d.Counts = nil
		}
		if e := d.Estimated; e != nil && len(e.Positives)+len(e.Negatives) == 0 {
			d.Estimated = copied(e)
			d.Estimated.Positives, d.Estimated.Negatives = nil, nil
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestDistributionSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := distributions(rapid.IntRange(0, 12).Draw(t, "cells")).Draw(t, "distribution")
		d.Rate = rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(t, "rate")
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

var alwaysThere = []string{keyWindowInstance, keyWindowSequence, keyWindowStart, keyWindowEnd, keyWindowParts}

func TestDecodeNamesTheAttribute(t *testing.T) {
	good := received(EncodeDistribution(anyDistribution()))
	for key := range good {
		if key == keyMin || key == keyOver || key == keyUnread || strings.HasPrefix(key, "evenkeel.window.") && !slices.Contains(alwaysThere, key) {
			continue // its absence means that there is none
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
		"part of nothing": {keyOver, int64(2_000_000)},
		"text for count":  {keyN, "12"},
		"negative cell":   {keyCounts, []any{int64(1), int64(-1), int64(0)}},
		"cell is a text":  {keyCounts, []any{"1", int64(1), int64(0)}},
		"wrong sum":       {keyN, int64(1 << 60)},
		"no model":        {KeyModelName, ""},
		"sequence 0":      {keyWindowSequence, int64(0)},
		"ends at start":   {keyWindowEnd, good[keyWindowStart]},
		"groups not JSON": {keyGroups, "{"},
		"groups no text":  {keyGroups, int64(1)},

		"more out of range than there are":    {keyOutOfRange, int64(1 << 60)},
		"nothing profiled":                    {keyRate, 0.0},
		"more than all":                       {keyRate, 1.5},
		"no number for a rate":                {keyRate, math.NaN()},
		"negative rows held":                  {keyHeld, int64(-1)},
		"sums no array":                       {keyEmbedded, "1"},
		"an infinite sum":                     {keyEmbedded, []any{math.Inf(1)}},
		"integers for sums":                   {keyEmbedded, []any{int64(1)}},
		"too many sums":                       {keyEmbedded, make([]any, maxElements+1)},
		"too many cells":                      {keyCounts, make([]any, maxElements+1)},
		"sketch no base64":                    {keyDistinct, "*"},
		"sketch cut off":                      {keyDistinct, "AAAA"},
		"sketch too long":                     {keyDistinct, strings.Repeat("A", maxText+1)},
		"estimate no JSON":                    {keyEstimated, "["},
		"estimate too long":                   {keyEstimated, strings.Repeat(" ", maxText+1)},
		"estimate of cells that do not match": {keyEstimated, `{"positives":[1]}`},
		"a negative number of rows":           {keyEstimated, `{"true_positive":-1}`},
		"a negative cell of an estimate":      {keyEstimated, `{"positives":[-1],"negatives":[0]}`},
		"an infinite sum of values":           {keySum, math.Inf(1)},
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
		{{Group: "a", Total: 1, Requests: &measure.Requests{Count: 1, Rows: 2}}},
		{{Group: "a", Total: 1, Requests: &measure.Requests{Count: 1, Rows: 1, Favourable: 1}}},
		{{Group: "a", Total: 1, Requests: &measure.Requests{Count: 1, Rows: 1, RowsSquared: -1}}},
	} {
		d.Groups = groups
		if _, err := DecodeDistribution(received(EncodeDistribution(d))); err == nil || !strings.Contains(err.Error(), keyGroups) {
			t.Errorf("%v: %v", groups, err)
		}
	}
}

// Whatever is received, the decoder answers with a distribution that it would
// itself encode and decode again to the same, or with an error.
func FuzzDecodeDistribution(f *testing.F) {
	sketch, _ := new(measure.HyperLogLog).MarshalBinary()
	f.Add("m", "x", "feature", "numeric", int64(1), int64(0), int64(10), int64(5), int64(5), 0.0, 1.0, `[]`, 0.5, []byte(nil), `{}`, uint8(0))
	f.Add("m", "x", "rows", "sums", int64(1), int64(0), int64(10), int64(5), int64(5), 0.0, 1.0, `[]`, 1.0, sketch, `{"rows":5,"positives":[1e300],"negatives":[2]}`, uint8(9))
	f.Add("", "", "group", "", int64(0), int64(-1), int64(1), int64(2), int64(1<<62), math.NaN(), math.Inf(1), `[{"group":"a","favourable":1,"total":2,"requests":{"rows":2,"favourable":1}}]`, math.NaN(), []byte("x"), `{"rows":-1}`, uint8(7))
	f.Fuzz(func(t *testing.T, model, feature, target, kind string, sequence, start, end, cell, n int64, sum, least float64, groups string, rate float64, sketch []byte, estimated string, drop uint8) {
		attrs := received(EncodeDistribution(anyDistribution()))
		attrs[KeyModelName], attrs[KeyFeatureName], attrs[keyTarget], attrs[keyFeatureKind] = model, feature, target, kind
		attrs[keyWindowSequence], attrs[keyWindowStart], attrs[keyWindowEnd] = sequence, start, end
		attrs[keyCounts], attrs[keyN], attrs[keyMissing] = []any{cell}, n, int64(0)
		attrs[keyOther], attrs[keyNew], attrs[keyInvalid] = int64(0), int64(0), int64(0)
		attrs[keySum], attrs[keyMin], attrs[keyMax], attrs[keyGroups] = sum, least, least, groups
		attrs[keyRate], attrs[keyEmbedded], attrs[keyHeld], attrs[keyOutOfRange] = rate, []any{sum, least}, n, cell
		attrs[keyDistinct], attrs[keyEstimated] = base64.StdEncoding.EncodeToString(sketch), estimated
		keys := []string{keyN, keyCounts, keySum, keyMax, keyGroups, keyRate, keyEmbedded, keyHeld, keyOutOfRange, keyDistinct, keyEstimated}
		if i := int(drop); i < len(keys) {
			delete(attrs, keys[i])
		}
		d, err := DecodeDistribution(attrs)
		if err != nil {
			return
		}
		again, err := DecodeDistribution(received(EncodeDistribution(d)))
		if err != nil {
			t.Fatalf("decoded once, not twice: %v\n%+v", err, d)
		}
		if d.Rate == 1 {
			d.Rate = 0 // goes without saying
		}
		if !equal(d, again) {
			t.Fatalf("first %+v\nthen  %+v", d, again)
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
