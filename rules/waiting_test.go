package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What is shipped and what waits is the whole catalogue, each rule once.
func TestShippedAndWaitingAreTheCatalogue(t *testing.T) {
	var want []string
	for _, family := range []struct {
		name  string
		rules int
	}{{"DRF", 5}, {"DQ", 4}, {"FAI", 4}, {"PRF", 5}, {"LIN", 3}, {"LOG", 6}, {"OPS", 4}, {"LLM", 5}, {"HUM", 4}, {"GOV", 14}} {
		for i := range family.rules {
			want = append(want, fmt.Sprintf("%s-%02d", family.name, i+1))
		}
	}
	set, err := Load(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range set.Rules() {
		got = append(got, string(r.ID))
	}
	for _, r := range NotShipped() {
		if r.Monitors == "" || r.WaitsFor == "" {
			t.Errorf("%s does not say what it monitors and waits for", r.ID)
		}
		got = append(got, string(r.ID))
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) != 54 || !slices.Equal(got, want) {
		t.Errorf("shipped and waiting: %s\nthe catalogue: %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}
