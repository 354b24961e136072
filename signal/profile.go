package signal

import (
	"encoding/json"
	"math"
	"time"
)

// Attribute keys of the evenkeel.window.profile event.
const (
	keyWindowInstance   = "evenkeel.window.instance"
	keyWindowSequence   = "evenkeel.window.sequence"
	keyWindowStart      = "evenkeel.window.start"
	keyWindowEnd        = "evenkeel.window.end"
	keyWindowParts      = "evenkeel.window.parts"
	keyBaselineDigest   = "evenkeel.baseline.digest"
	keyBoundsDigest     = "evenkeel.bounds.digest"
	keyTarget           = "evenkeel.target"
	keyFeatureKind      = "evenkeel.feature.kind"
	keyCounts           = "evenkeel.counts"
	keyMissing          = "evenkeel.missing"
	keyOther            = "evenkeel.other"
	keyNew              = "evenkeel.new"
	keyInvalid          = "evenkeel.invalid"
	keyN                = "evenkeel.n"
	keySum              = "evenkeel.sum"
	keySumSquares       = "evenkeel.sum_squares"
	keyMin              = "evenkeel.min"
	keyMax              = "evenkeel.max"
	keyGroups           = "evenkeel.groups"
	keyCaptureSeen      = "evenkeel.capture.seen"
	keyCaptureProfiled  = "evenkeel.capture.profiled"
	keyCaptureSampled   = "evenkeel.capture.sampled_out"
	keyCaptureDropped   = "evenkeel.capture.dropped"
	keyCaptureUndecoded = "evenkeel.capture.undecodable"
)

// Attr is one attribute of an event: an int64, float64, string, []int64 or
// []float64.
type Attr struct {
	Key   string
	Value any
}

// EncodeDistribution gives the attributes of the window event, in a fixed
// order. Min and Max are left out while they are NaN. The system stands on the
// resource and is not repeated.
func EncodeDistribution(d *Distribution) []Attr {
	counts := make([]int64, len(d.Counts))
	for i, c := range d.Counts {
		counts[i] = int64(c)
	}
	attrs := []Attr{
		{KeyModelName, d.Model.Name},
		{KeyModelVersion, d.Model.Version},
		{KeyFeatureName, string(d.Feature)},
		{keyTarget, string(d.Target)},
		{keyFeatureKind, string(d.Kind)},
		{keyWindowInstance, string(d.Window.Instance)},
		{keyWindowSequence, int64(d.Window.Sequence)},
		{keyWindowStart, d.Start.UnixNano()},
		{keyWindowEnd, d.End.UnixNano()},
		{keyWindowParts, int64(d.Parts)},
		{keyBaselineDigest, string(d.Baseline)},
		{keyBoundsDigest, string(d.Bounds)},
		{keyCounts, counts},
		{keyMissing, int64(d.Missing)},
		{keyOther, int64(d.Other)},
		{keyNew, int64(d.New)},
		{keyInvalid, int64(d.Invalid)},
		{keyN, int64(d.N)},
		{keySum, d.Sum},
		{keySumSquares, d.SumSquares},
		{keyCaptureSeen, int64(d.Capture.Seen)},
		{keyCaptureProfiled, int64(d.Capture.Profiled)},
		{keyCaptureSampled, int64(d.Capture.SampledOut)},
		{keyCaptureDropped, int64(d.Capture.Dropped)},
		{keyCaptureUndecoded, int64(d.Capture.Undecodable)},
	}
	if !math.IsNaN(d.Min) {
		attrs = append(attrs, Attr{keyMin, d.Min}, Attr{keyMax, d.Max})
	}
	if len(d.Groups) > 0 {
		table, _ := json.Marshal(d.Groups) // strings and integers: cannot fail
		attrs = append(attrs, Attr{keyGroups, string(table)})
	}
	return append(attrs, d.encodeParts()...)
}

// DecodeDistribution reads what EncodeDistribution wrote, from a map of plain
// values: int64, float64, string, and []any of int64 or float64. It checks that
// every count is there and not negative, that the cells add up to n, that sums
// are finite and nothing is larger than any window can be; the error names the
// attribute. What only some windows have may be absent, as in those of older
// agents.
func DecodeDistribution(attrs map[string]any) (*Distribution, error) {
	r := attrReader{attrs: attrs}
	d := &Distribution{
		Model:      ModelRef{Name: r.text(KeyModelName), Version: r.text(KeyModelVersion)},
		Feature:    FeatureName(r.text(KeyFeatureName)),
		Target:     Target(r.text(keyTarget)),
		Kind:       Kind(r.text(keyFeatureKind)),
		Window:     WindowID{InstanceID(r.text(keyWindowInstance)), r.count(keyWindowSequence)},
		Start:      time.Unix(0, int64(r.count(keyWindowStart))).UTC(),
		End:        time.Unix(0, int64(r.count(keyWindowEnd))).UTC(),
		Parts:      int(r.count(keyWindowParts)),
		Baseline:   Digest(r.text(keyBaselineDigest)),
		Bounds:     Digest(r.text(keyBoundsDigest)),
		Counts:     r.counts(keyCounts),
		Missing:    r.count(keyMissing),
		Other:      r.count(keyOther),
		New:        r.count(keyNew),
		Invalid:    r.count(keyInvalid),
		N:          r.count(keyN),
		Sum:        r.number(keySum),
		SumSquares: r.number(keySumSquares),
		Min:        math.NaN(),
		Max:        math.NaN(),
		Capture: Capture{
			Seen:        r.count(keyCaptureSeen),
			Profiled:    r.count(keyCaptureProfiled),
			SampledOut:  r.count(keyCaptureSampled),
			Dropped:     r.count(keyCaptureDropped),
			Undecodable: r.count(keyCaptureUndecoded),
		},
	}
	if _, ok := attrs[keyMin]; ok {
		d.Min, d.Max = r.number(keyMin), r.number(keyMax)
	}
	r.json(keyGroups, &d.Groups)
	r.parts(d)
	if r.err == nil {
		r.err = d.check()
	}
	if r.err != nil {
		return nil, r.err
	}
	return d, nil
}
