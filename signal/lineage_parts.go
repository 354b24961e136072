package signal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LineagePart is one of the things that stand behind an answer.
type LineagePart uint8

// The parts. All but the last are named by a digest.
const (
	PartModel     LineagePart = iota // the model's file or image
	PartIndex                        // what is retrieved from: a vector index, a feature store's snapshot
	PartPrompt                       // the template that a language model is asked with
	PartTransform                    // what makes features of the request
	PartRun                          // a run of somebody's OpenLineage: of the deployment, or of the batch
	lineageParts
)

var partNames = [lineageParts]string{"model", "index", "prompt", "transform", "run"}

// LineageParts gives all parts, in order.
func LineageParts() []LineagePart {
	return []LineagePart{PartModel, PartIndex, PartPrompt, PartTransform, PartRun}
}

// String gives the part's name, as configurations and events have it.
func (p LineagePart) String() string {
	if p < lineageParts {
		return partNames[p]
	}
	return fmt.Sprintf("part(%d)", uint8(p))
}

// MarshalText writes the name.
func (p LineagePart) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *LineagePart) UnmarshalText(text []byte) error {
	for i, name := range partNames {
		if name == string(text) {
			*p = LineagePart(i)
			return nil
		}
	}
	return fmt.Errorf("%q is none of %s", text, strings.Join(partNames[:], ", "))
}

// Lineage says what stood behind one answer, part by part; empty: not known.
type Lineage [lineageParts]string

// MaxLineageText bounds what names one part, in bytes.
const MaxLineageText = 256

// IsLineageText says whether a text can name a part: it is not empty, not too
// long, and text that can be printed.
func IsLineageText(s string) bool {
	return s != "" && len(s) <= MaxLineageText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// LineageCount says how many of a window's profiled requests were answered with
// one thing behind them. Requests of which a part was not known are in no count of
// that part.
type LineageCount struct {
	Part     LineagePart `json:"part"`
	Value    string      `json:"value"` // LineageOther: all beyond MaxLineageValues
	Requests uint64      `json:"requests"`
}

// LineageOther stands for what a window does not tell apart any more.
const LineageOther = "(other)"

// MaxLineageValues bounds how many different values a window tells of one part.
const MaxLineageValues = 16

// Attribute keys of what stood behind an answer, on predictions and on spans, and
// the one of a window.
const (
	KeyDigestModel     = "evenkeel.digest.model"
	KeyDigestIndex     = "evenkeel.digest.index"
	KeyDigestPrompt    = "evenkeel.digest.prompt"
	KeyDigestTransform = "evenkeel.digest.transform"
	KeyDeclaredRun     = "evenkeel.lineage.declared_run_id"
	keyWindowLineage   = "evenkeel.window.lineage"
)

var partKeys = [lineageParts]string{KeyDigestModel, KeyDigestIndex, KeyDigestPrompt, KeyDigestTransform, KeyDeclaredRun}

// Names about how much of it is known, and the values of KeyLineageState.
const (
	MetricLineagePredictions = "evenkeel.lineage.prediction.count"
	MetricLineageMissing     = "evenkeel.lineage.missing.count"
	KeyLineageState          = "evenkeel.lineage.state"
	KeyLineagePart           = "evenkeel.lineage.part"
	LineageComplete          = "complete"
	LineageIncomplete        = "incomplete"
)

// Attrs gives the attributes of what is known.
func (l *Lineage) Attrs(attrs []Attr) []Attr {
	for part, value := range l {
		attrs = appendText(attrs, partKeys[part], value)
	}
	return attrs
}

// partOf gives the part that an attribute names.
func partOf(key string) (LineagePart, bool) {
	for part, k := range partKeys {
		if k == key {
			return LineagePart(part), true
		}
	}
	return 0, false
}

// check reports what cannot name a part.
func (l *Lineage) check() error {
	for part, value := range l {
		if value != "" && !IsLineageText(value) {
			return fmt.Errorf("%s: longer than %d bytes, or no text that can be printed", partKeys[part], MaxLineageText)
		}
	}
	return nil
}

// checkLineage holds for what a window tells of its requests.
func (d *Distribution) checkLineage() error {
	var values [lineageParts]int
	for _, c := range d.Lineage {
		values[c.Part]++
		switch {
		case !IsLineageText(c.Value):
			return fmt.Errorf("%s: a value is empty, longer than %d bytes, or no text that can be printed", keyWindowLineage, MaxLineageText)
		case c.Requests > d.Capture.Profiled:
			return fmt.Errorf("%s: %d requests, of %d that were profiled", keyWindowLineage, c.Requests, d.Capture.Profiled)
		case values[c.Part] > MaxLineageValues+1:
			return fmt.Errorf("%s: more than %d values of one part", keyWindowLineage, MaxLineageValues+1)
		}
	}
	return nil
}
