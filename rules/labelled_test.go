package rules

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

const month = 30 * 24 * time.Hour

func TestLabelledWindowsAreWindowsOfTheirOwn(t *testing.T) {
	set, err := Load(Options{
		Packs: []string{"iso42001-fairness"},
		Overrides: write(t, "overrides.yaml", `overrides:
  - {system: bank, rule: FAI-03, window: 10s}
  - {system: shop, rule: FAI-01, window: 7d}
`),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		system          signal.SystemID
		lengths, labels []time.Duration
	}{
		{"", []time.Duration{month}, []time.Duration{month}},
		{"bank", []time.Duration{month}, []time.Duration{10 * time.Second}},
		{"shop", []time.Duration{7 * 24 * time.Hour, month}, []time.Duration{month}},
	} {
		if got := set.Lengths(c.system); !slices.Equal(got, c.lengths) {
			t.Errorf("%q: windows over rows of %v, want %v", c.system, got, c.lengths)
		}
		if got := set.Cohorts(c.system); !slices.Equal(got, c.labels) {
			t.Errorf("%q: labelled windows of %v, want %v", c.system, got, c.labels)
		}
	}
	own := set.Rule("bank", "FAI-03")
	if !own.Labelled() || !own.Windowed() || own.When() != "each labelled window of 10s" || own.Step() != 10*time.Second {
		t.Errorf("FAI-03: %q, %+v", own.When(), own.Rule)
	}
	if other := set.Rule("bank", "FAI-02"); other.Labelled() || other.When() != "each window of 30d" {
		t.Errorf("FAI-02: %q, %+v", other.When(), other.Rule)
	}
}

// Keys that are not given leave no trace: a rule without them has the digest
// that it had before they existed.
func TestWhatIsNotGivenIsNotInTheDigest(t *testing.T) {
	set, err := Load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, rule := range set.Rules() {
		raw, err := json.Marshal(rule)
		if err != nil {
			t.Fatal(err)
		}
		for key, given := range map[string]bool{
			`"cohort"`: rule.Labelled(), `"explain"`: rule.Explain != "", `"accepts"`: rule.Accepts != "", `"lawful_reasons"`: len(rule.LawfulReasons) > 0,
			`"expect"`: rule.NoData.Expect != "", `"of"`: rule.Of != "",
		} {
			if has := strings.Contains(string(raw), key+":"); has != given {
				t.Errorf("%s: %s is there: %v, want %v", rule.ID, key, has, given)
			}
			if given {
				seen[key]++
			}
		}
	}
	if len(seen) < 5 || seen[`"expect"`] == len(set.Rules()) {
		t.Errorf("keys that are given: %v", seen)
	}
	all := set.Rule("", "DRF-04").Rule
	all.NoData.Expect = parseExpect(ExpectAll)
	if raw, err := json.Marshal(all); err != nil || strings.Contains(string(raw), `"expect"`) {
		t.Errorf("the default, written out, is in the digest: %s, %v", raw, err)
	}
}
