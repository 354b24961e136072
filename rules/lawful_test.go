package rules

import (
	"testing"
	"time"
)

func TestALawfulReasonHoldsForItsAttributeAndItsTime(t *testing.T) {
	set, err := Load(Options{
		Packs: []string{"iso42001-fairness"},
		Overrides: write(t, "overrides.yaml", `overrides:
  - system: hiring
    rule: FAI-04
    lawful_reasons:
      - {reason: no group is asked for, by: counsel, until: 2027-12-31}
      - {attribute: ethnicity, reason: special category without a basis, by: dpo, until: 2027-06-30}
`),
	})
	if err != nil {
		t.Fatal(err)
	}
	own, other := set.Rule("hiring", "FAI-04"), set.Rule("bank", "FAI-04")
	if own.Digest == other.Digest || len(other.LawfulReasons) != 0 {
		t.Errorf("the reasons are not part of what the verdicts rest on: %v and %v", own.Digest, other.Digest)
	}
	day := func(month time.Month, day, hour int) time.Time {
		return time.Date(2027, month, day, hour, 0, 0, 0, time.UTC)
	}
	for _, c := range []struct {
		attribute string
		at        time.Time
		by        string
	}{
		{"ethnicity", day(6, 30, 23), "dpo"},
		{"ethnicity", day(7, 1, 0), "dpo"},     // the window ended with the day
		{"ethnicity", day(7, 1, 1), "counsel"}, // the one for all holds longer
		{"gender", day(1, 1, 0), "counsel"},
		{"", day(12, 31, 12), "counsel"}, // a model of which no attribute is known
		{"gender", time.Date(2028, 1, 1, 0, 0, 1, 0, time.UTC), ""},
	} {
		subject := map[string]string{}
		if c.attribute != "" {
			subject[labelProtected] = c.attribute
		}
		by := ""
		if l := own.Lawful(subject, c.at); l != nil {
			by = l.By
		}
		if by != c.by {
			t.Errorf("%q at %s: declared by %q, want %q", c.attribute, c.at, by, c.by)
		}
		if other.Lawful(subject, c.at) != nil {
			t.Errorf("the reason of one system holds for another")
		}
	}
}
