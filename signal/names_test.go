package signal

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestWindowsAreWrittenAsRuns(t *testing.T) {
	ids := []WindowID{{"b", 2}, {"a", 9}, {"a", 1}, {"a", 3}, {"a", 2}, {"b", 3}, {"a", 2}}
	got := FormatWindows(ids)
	if want := []string{"a/1-3", "a/9", "b/2-3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, bad := range []string{"", "a", "a/", "a/x", "a/3-2", "a/3-3", "a/1-", "/1-2", "a/1-99999999999"} {
		if ids, err := ParseWindows(bad); err == nil {
			t.Errorf("%q: read as %v", bad, ids)
		}
	}
}

func TestRunsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := map[WindowID]bool{}
		for range rapid.IntRange(0, 40).Draw(t, "windows") {
			instance := rapid.SampledFrom([]InstanceID{"a", "agent-7", "x/y", "n-1/2-3"}).Draw(t, "instance")
			set[WindowID{instance, rapid.Uint64Range(1, 30).Draw(t, "sequence")}] = true
		}
		var ids []WindowID
		for id := range set {
			ids = append(ids, id)
		}
		for _, text := range FormatWindows(ids) {
			back, err := ParseWindows(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range back {
				if !set[id] {
					t.Fatalf("%s: %v was not given, or twice", text, id)
				}
				delete(set, id)
			}
		}
		if len(set) > 0 {
			t.Fatalf("lost: %v", set)
		}
	})
}
