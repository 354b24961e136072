package signal

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Attribute keys of the events evenkeel.prediction and evenkeel.label.
const (
	keyPredictionID    = "evenkeel.prediction.id"
	keyPredictionRow   = "evenkeel.prediction.row"
	keyPredictionTime  = "evenkeel.prediction.time"
	keyPredictionValue = "evenkeel.prediction.value"
	keyPredictionScore = "evenkeel.prediction.score"
	keyPredictionGroup = "evenkeel.prediction.groups"
	keyPredictionBasis = "evenkeel.prediction.lawful_basis"
	keyPredictionRate  = "evenkeel.prediction.rate"
	keyPredictionTrace = "evenkeel.prediction.trace_id"
	keyLineageRunID    = "evenkeel.lineage.run_id"
	keyLabelValue      = "evenkeel.label.value"
	keyLabelTime       = "evenkeel.label.time"
	keyLabelSource     = "evenkeel.label.source"
)

// What one prediction or label may hold at most. Longer ones are refused, since
// a cut off id would name something else.
const (
	MaxPredictionID     = 256  // bytes
	MaxPredictionValue  = 4096 // bytes; of a label too
	MaxPredictionGroups = 32
	maxPredictionText   = 1024 // bytes of any other text
)

// EncodePrediction gives the attributes of the event evenkeel.prediction, in a
// fixed order; what is empty is left out. The system stands on the resource and
// is not repeated.
func EncodePrediction(p *Prediction) []Attr {
	attrs := []Attr{
		{KeyModelName, p.Model.Name},
		{KeyModelVersion, p.Model.Version},
		{keyPredictionID, p.ID},
		{keyPredictionRow, int64(p.Row)},
		{keyPredictionValue, p.Value},
	}
	attrs = appendTime(attrs, keyPredictionTime, p.Time)
	attrs = appendText(attrs, KeyInstanceID, string(p.Instance))
	if !math.IsNaN(p.Score) {
		attrs = append(attrs, Attr{keyPredictionScore, p.Score})
	}
	if len(p.Groups) > 0 {
		text, _ := json.Marshal(p.Groups) // texts: cannot fail
		attrs = append(attrs, Attr{keyPredictionGroup, string(text)})
	}
	if p.Rate != 0 && p.Rate != 1 {
		attrs = append(attrs, Attr{keyPredictionRate, p.Rate})
	}
	attrs = appendText(attrs, keyPredictionBasis, p.Basis)
	attrs = appendText(attrs, keyPredictionTrace, p.TraceID)
	attrs = appendText(attrs, keyBaselineDigest, string(p.Baseline))
	attrs = appendText(attrs, keyLineageRunID, p.Run)
	return p.Lineage.Attrs(attrs)
}

func appendText(attrs []Attr, key, value string) []Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, Attr{key, value})
}

func appendTime(attrs []Attr, key string, t time.Time) []Attr {
	if t.IsZero() {
		return attrs
	}
	return append(attrs, Attr{key, t.UnixNano()})
}

// DecodePrediction reads what EncodePrediction wrote, from a map of plain values.
// A Time of zero means that the event's own timestamp says it. The error names
// the attribute.
func DecodePrediction(attrs map[string]any) (*Prediction, error) {
	r := attrReader{attrs: attrs}
	p := &Prediction{
		Model:    ModelRef{Name: r.text(KeyModelName), Version: r.maybeText(KeyModelVersion)},
		Instance: InstanceID(r.maybeText(KeyInstanceID)),
		ID:       r.text(keyPredictionID),
		Row:      r.row(),
		Time:     r.maybeTime(keyPredictionTime),
		Value:    r.maybeText(keyPredictionValue),
		Score:    math.NaN(),
		Basis:    r.maybeText(keyPredictionBasis),
		Rate:     1,
		TraceID:  r.maybeText(keyPredictionTrace),
		Baseline: Digest(r.maybeText(keyBaselineDigest)),
		Run:      r.maybeText(keyLineageRunID),
	}
	for part, key := range partKeys {
		p.Lineage[part] = r.maybeText(key)
	}
	if r.optional(keyPredictionScore) {
		p.Score = r.number(keyPredictionScore)
	}
	if r.optional(keyPredictionRate) {
		p.Rate = r.number(keyPredictionRate)
		if p.Rate == 0 {
			r.fail(keyPredictionRate, "nothing is profiled at a rate of 0")
		}
	}
	r.json(keyPredictionGroup, &p.Groups)
	if r.err == nil {
		r.err = p.Validate()
	}
	if r.err != nil {
		return nil, r.err
	}
	return p, nil
}

// Validate reports what no event can say, naming the attribute.
func (p *Prediction) Validate() error {
	switch {
	case p.Model.Name == "":
		return fmt.Errorf("%s: empty", KeyModelName)
	case p.ID == "":
		return fmt.Errorf("%s: empty; without an id no label can find the row", keyPredictionID)
	case math.IsInf(p.Score, 0):
		return fmt.Errorf("%s: %v is no score", keyPredictionScore, p.Score)
	case !(p.Rate >= 0 && p.Rate <= 1):
		return fmt.Errorf("%s: %v is no share", keyPredictionRate, p.Rate)
	case len(p.Groups) > MaxPredictionGroups:
		return fmt.Errorf("%s: %d, more than %d", keyPredictionGroup, len(p.Groups), MaxPredictionGroups)
	case len(p.Groups) > 0 && p.Basis == "":
		return fmt.Errorf("%s: missing; groups of a person are sent with the lawful basis for it", keyPredictionBasis)
	case p.TraceID != "" && !isTraceID(p.TraceID):
		return fmt.Errorf("%s: %q is not 32 hexadecimal digits", keyPredictionTrace, p.TraceID)
	}
	for _, g := range p.Groups {
		if g.Attribute == "" || g.Group == "" || len(g.Attribute)+len(g.Group) > maxPredictionText {
			return fmt.Errorf("%s: an attribute or a group is empty or longer than %d bytes", keyPredictionGroup, maxPredictionText)
		}
	}
	if err := p.Lineage.check(); err != nil {
		return err
	}
	return atMost(
		limit{KeyModelName, p.Model.Name, maxPredictionText},
		limit{KeyModelVersion, p.Model.Version, maxPredictionText},
		limit{KeyInstanceID, string(p.Instance), maxPredictionText},
		limit{keyPredictionID, p.ID, MaxPredictionID},
		limit{keyPredictionValue, p.Value, MaxPredictionValue},
		limit{keyPredictionBasis, p.Basis, maxPredictionText},
		limit{keyBaselineDigest, string(p.Baseline), maxPredictionText},
		limit{keyLineageRunID, p.Run, maxPredictionText},
	)
}

// EncodeLabel gives the attributes of the event evenkeel.label. The system
// stands on the resource and is not repeated.
func EncodeLabel(l *Label) []Attr {
	attrs := []Attr{
		{keyPredictionID, l.ID},
		{keyPredictionRow, int64(l.Row)},
		{keyLabelValue, l.Value},
	}
	attrs = appendTime(attrs, keyLabelTime, l.Time)
	return appendText(attrs, keyLabelSource, l.Source)
}

// DecodeLabel reads what EncodeLabel wrote, from a map of plain values. Without
// a row the id may name it as ParseRowID reads it. A number or a boolean as value
// is taken as its text. A Time of zero means that the event's own timestamp says
// it. The error names the attribute.
func DecodeLabel(attrs map[string]any) (*Label, error) {
	r := attrReader{attrs: attrs}
	l := &Label{
		ID:     r.text(keyPredictionID),
		Row:    r.row(),
		Value:  r.value(keyLabelValue),
		Time:   r.maybeTime(keyLabelTime),
		Source: r.maybeText(keyLabelSource),
	}
	if !r.optional(keyPredictionRow) {
		l.ID, l.Row = ParseRowID(l.ID)
	}
	if r.err == nil {
		r.err = l.Validate()
	}
	if r.err != nil {
		return nil, r.err
	}
	return l, nil
}

// Validate reports what no event can say, naming the attribute.
func (l *Label) Validate() error {
	switch {
	case l.ID == "":
		return fmt.Errorf("%s: empty; it says which prediction this is about", keyPredictionID)
	case l.Value == "":
		return fmt.Errorf("%s: empty", keyLabelValue)
	}
	return atMost(
		limit{keyPredictionID, l.ID, MaxPredictionID},
		limit{keyLabelValue, l.Value, MaxPredictionValue},
		limit{keyLabelSource, l.Source, maxPredictionText},
	)
}

// RowID names one row of a request: id#row.
func RowID(id string, row uint32) string {
	return id + "#" + strconv.FormatUint(uint64(row), 10)
}

// ParseRowID reads what RowID wrote. A text without a number sign and a row
// after it is an id, and means row 0.
func ParseRowID(s string) (id string, row uint32) {
	i := strings.LastIndexByte(s, '#')
	if i < 1 {
		return s, 0
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != s[i+1:] {
		return s, 0
	}
	return s[:i], uint32(n)
}

// limit is a text that may have so many bytes at most.
type limit struct {
	key, text string
	most      int
}

func atMost(limits ...limit) error {
	for _, l := range limits {
		if len(l.text) > l.most {
			return fmt.Errorf("%s: %d bytes, more than %d", l.key, len(l.text), l.most)
		}
	}
	return nil
}

func isTraceID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// maybeTime reads nanoseconds since 1970; absent, the zero time.
func (r *attrReader) maybeTime(key string) time.Time {
	if !r.optional(key) {
		return time.Time{}
	}
	return time.Unix(0, int64(r.count(key))).UTC()
}

// row is 0 where it is absent.
func (r *attrReader) row() uint32 {
	if !r.optional(keyPredictionRow) {
		return 0
	}
	n := r.count(keyPredictionRow)
	if n > math.MaxUint32 {
		r.fail(keyPredictionRow, "beyond any row of a request")
	}
	return uint32(n)
}
