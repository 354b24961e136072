package signal

import (
	"encoding/json"
	"fmt"
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

// Attr is one attribute of an event: an int64, float64, string or []int64.
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
	return attrs
}

// DecodeDistribution reads what EncodeDistribution wrote, from a map of plain
// values: int64, float64, string, and []any of int64. It checks that every
// count is there and not negative and that the cells add up to n; the error
// names the attribute.
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
	if table, ok := attrs[keyGroups].(string); ok {
		if err := json.Unmarshal([]byte(table), &d.Groups); err != nil {
			r.fail(keyGroups, err.Error())
		}
	}
	if r.err == nil {
		r.err = d.check()
	}
	if r.err != nil {
		return nil, r.err
	}
	return d, nil
}

// check holds for every distribution that entered or left the system.
func (d *Distribution) check() error {
	switch {
	case d.Model.Name == "":
		return fmt.Errorf("%s: empty", KeyModelName)
	case d.Window.Instance == "" || d.Window.Sequence == 0:
		return fmt.Errorf("%s, %s: a window is named by its instance and a sequence from 1", keyWindowInstance, keyWindowSequence)
	case !d.Start.Before(d.End):
		return fmt.Errorf("%s: the window ends at %s, not after its start %s", keyWindowEnd, d.End, d.Start)
	}
	if d.Target == TargetGroup {
		return d.checkGroups()
	}
	sum := d.Missing + d.Other + d.New + d.Invalid
	for _, c := range d.Counts {
		sum += c
	}
	if sum != d.N {
		return fmt.Errorf("%s: %d, but the cells add up to %d", keyN, d.N, sum)
	}
	return nil
}

func (d *Distribution) checkGroups() error {
	if err := checkGroups(d.Groups); err != nil {
		return fmt.Errorf("%s: %w", keyGroups, err)
	}
	return nil
}

// checkGroups holds for every table of groups, of a window or of a baseline: no
// group has more favourable rows than rows, and names ascend, so that each is
// there once.
func checkGroups(groups []GroupCount) error {
	for i, g := range groups {
		if g.Favourable > g.Total {
			return fmt.Errorf("group %q has %d favourable of %d", g.Group, g.Favourable, g.Total)
		}
		if i > 0 && groups[i-1].Group >= g.Group {
			return fmt.Errorf("group %q is out of order or twice", g.Group)
		}
	}
	return nil
}

// attrReader reads typed attributes and keeps the first fault.
type attrReader struct {
	attrs map[string]any
	err   error
}

func (r *attrReader) fail(key, why string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", key, why)
	}
}

func (r *attrReader) text(key string) string {
	v, ok := r.attrs[key].(string)
	if !ok {
		r.fail(key, "missing, or not a string")
	}
	return v
}

func (r *attrReader) number(key string) float64 {
	v, ok := r.attrs[key].(float64)
	if !ok {
		r.fail(key, "missing, or not a double")
	}
	return v
}

func (r *attrReader) count(key string) uint64 {
	v, ok := r.attrs[key].(int64)
	if !ok || v < 0 {
		r.fail(key, "missing, negative, or not an integer")
		return 0
	}
	return uint64(v)
}

func (r *attrReader) counts(key string) []uint64 {
	list, ok := r.attrs[key].([]any)
	if !ok {
		r.fail(key, "missing, or not an array")
		return nil
	}
	out := make([]uint64, len(list))
	for i, e := range list {
		v, ok := e.(int64)
		if !ok || v < 0 {
			r.fail(fmt.Sprintf("%s[%d]", key, i), "negative, or not an integer")
			return nil
		}
		out[i] = uint64(v)
	}
	return out
}
