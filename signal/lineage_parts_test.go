package signal

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawLineage gives what stood behind some of n requests; nil: nothing is known.
func drawLineage(t *rapid.T, n uint64) []LineageCount {
	var out []LineageCount
	for _, part := range LineageParts() {
		for i := range rapid.IntRange(0, 2).Draw(t, part.String()) {
			out = append(out, LineageCount{part, "v" + strings.Repeat("x", i), rapid.Uint64Range(0, n).Draw(t, "requests")})
		}
	}
	return out
}

func TestLineagePartsHaveNames(t *testing.T) {
	for _, part := range LineageParts() {
		text, err := part.MarshalText()
		var back LineagePart
		if err != nil || back.UnmarshalText(text) != nil || back != part {
			t.Errorf("%s comes back as %s, %v", part, back, err)
		}
	}
	var none LineagePart
	if err := none.UnmarshalText([]byte("weights")); err == nil || !strings.Contains(err.Error(), "transform") {
		t.Errorf("an unknown part: %v", err)
	}
}

func TestWhatCanNameAPart(t *testing.T) {
	for text, want := range map[string]bool{
		"sha256:00ff": true, "prompt 7 (draft)": true, "Ä": true, strings.Repeat("x", MaxLineageText): true,
		"": false, "a\nb": false, "a\x00": false, "\xff": false, strings.Repeat("x", MaxLineageText+1): false,
	} {
		if IsLineageText(text) != want {
			t.Errorf("%.20q: want %v", text, want)
		}
	}
}

func TestAWindowsLineageIsChecked(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"fits":          {`[{"part":"model","value":"a","requests":3},{"part":"prompt","value":"b","requests":1}]`, ""},
		"unknown part":  {`[{"part":"weights","value":"a","requests":3}]`, "weights"},
		"more requests": {`[{"part":"model","value":"a","requests":4}]`, "4 requests, of 3"},
		"no value":      {`[{"part":"model","value":"","requests":1}]`, "empty"},
		"too many":      {"[" + strings.Repeat(`{"part":"run","value":"a","requests":1},`, 17) + `{"part":"run","value":"a","requests":1}]`, "more than 17"},
	} {
		d := distributions(4).Example(1)
		d.Capture.Profiled, d.Lineage = 3, nil
		attrs := received(EncodeDistribution(d))
		attrs[keyWindowLineage] = c.text
		got, err := DecodeDistribution(attrs)
		switch {
		case c.says == "" && (err != nil || len(got.Lineage) != 2 || got.Lineage[1] != (LineageCount{PartPrompt, "b", 1})):
			t.Errorf("%s: %+v, %v", name, got, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), keyWindowLineage)):
			t.Errorf("%s: %v, want a word on %q", name, err, c.says)
		}
	}
}

func TestMergedWindowsTellNoLineage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := distributions(4).Draw(t, "a")
		b := a.Clone()
		if err := a.Merge(b); err != nil || a.Lineage != nil {
			t.Fatalf("%+v, %v", a.Lineage, err)
		}
	})
}
