package signal

import (
	"encoding/base64"
	"encoding/json"

	"github.com/evenkeel/evenkeel/measure"
)

// Attribute keys of the window event that only some windows have.
const (
	keyOutOfRange = "evenkeel.window.out_of_range"
	keyRate       = "evenkeel.window.rate"
	keyHeld       = "evenkeel.window.held"
	keyOver       = "evenkeel.capture.over_ceiling"
	keyUnread     = "evenkeel.capture.unread"
	keyEmbedded   = "evenkeel.window.embedded"
	keyDistinct   = "evenkeel.window.distinct"
	keyEstimated  = "evenkeel.window.estimated"
	keyOutcomes   = "evenkeel.window.outcomes"
)

// encodeParts gives the attributes of what only some distributions have. A
// count of none and a rate of 1 go without saying.
func (d *Distribution) encodeParts() []Attr {
	var attrs []Attr
	if d.OutOfRange > 0 {
		attrs = append(attrs, Attr{keyOutOfRange, int64(d.OutOfRange)})
	}
	if d.rate() != 1 {
		attrs = append(attrs, Attr{keyRate, d.Rate})
	}
	if d.Capture.OverCeiling > 0 {
		attrs = append(attrs, Attr{keyOver, int64(d.Capture.OverCeiling)})
	}
	if d.Capture.Unread > 0 {
		attrs = append(attrs, Attr{keyUnread, int64(d.Capture.Unread)})
	}
	if len(d.Lineage) > 0 {
		text, _ := json.Marshal(d.Lineage) // texts and counts: cannot fail
		attrs = append(attrs, Attr{keyWindowLineage, string(text)})
	}
	if d.Held > 0 {
		attrs = append(attrs, Attr{keyHeld, int64(d.Held)})
	}
	if len(d.Embedded) > 0 {
		attrs = append(attrs, Attr{keyEmbedded, d.Embedded})
	}
	if d.Distinct != nil {
		raw, _ := d.Distinct.MarshalBinary() // bytes in memory: cannot fail
		attrs = append(attrs, Attr{keyDistinct, base64.StdEncoding.EncodeToString(raw)})
	}
	if d.Estimated != nil {
		text, _ := json.Marshal(d.Estimated) // sums of probabilities are finite: cannot fail
		attrs = append(attrs, Attr{keyEstimated, string(text)})
	}
	if d.Outcomes != nil {
		text, _ := json.Marshal(d.Outcomes) // counts and finite sums: cannot fail
		attrs = append(attrs, Attr{keyOutcomes, string(text)})
	}
	return attrs
}

// parts reads what encodeParts wrote.
func (r *attrReader) parts(d *Distribution) {
	if r.optional(keyOutOfRange) {
		d.OutOfRange = r.count(keyOutOfRange)
	}
	if r.optional(keyRate) {
		if d.Rate = r.number(keyRate); d.Rate == 0 {
			r.fail(keyRate, "nothing was profiled at a rate of 0")
		}
	}
	if r.optional(keyOver) {
		d.Capture.OverCeiling = r.count(keyOver)
	}
	if r.optional(keyUnread) {
		d.Capture.Unread = r.count(keyUnread)
	}
	if r.optional(keyHeld) {
		d.Held = r.count(keyHeld)
	}
	r.json(keyWindowLineage, &d.Lineage)
	d.Embedded = r.numbers(keyEmbedded)
	if r.optional(keyDistinct) {
		d.Distinct = r.sketch(keyDistinct)
	}
	if r.optional(keyEstimated) {
		d.Estimated = new(measure.ExpectedPerformance)
		r.json(keyEstimated, d.Estimated)
	}
	if r.optional(keyOutcomes) {
		d.Outcomes = new(Cohort)
		r.json(keyOutcomes, d.Outcomes)
	}
}

func (r *attrReader) sketch(key string) *measure.HyperLogLog {
	text := r.text(key)
	if len(text) > maxText {
		r.fail(key, "too long for a sketch")
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		r.fail(key, err.Error())
		return nil
	}
	s := new(measure.HyperLogLog)
	if err := s.UnmarshalBinary(raw); err != nil {
		r.fail(key, err.Error())
		return nil
	}
	return s
}
