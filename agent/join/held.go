package join

import (
	"encoding/json"
	"path/filepath"

	"github.com/evenkeel/evenkeel/signal"
)

// heldGroups are the groups of each version that were too small to be told. What
// was held before the last slot is kept beside it: a slot that is counted again
// after a crash is counted as it was before.
type heldGroups struct {
	Versions map[string]*heldVersion `json:"versions"`
}

type heldVersion struct {
	Slot   string        `json:"slot"` // name of the file that was counted last
	Before signal.Cohort `json:"before"`
	After  signal.Cohort `json:"after"`
}

func (j *Join) heldPath() string { return filepath.Join(j.o.Folder, "held.json") }

// pass takes small groups out of a cohort and puts in those that were held; false
// where what was held cannot be added any more and is lost.
func (h *heldGroups) pass(slot, version string, c *signal.Cohort, least uint64) (kept bool) {
	if h.Versions == nil {
		h.Versions = map[string]*heldVersion{}
	}
	v := h.Versions[version]
	if v == nil {
		v = &heldVersion{}
		h.Versions[version] = v
	}
	if v.Slot != slot {
		v.Slot, v.Before = slot, v.After
	}
	after := copyOf(&v.Before)
	kept = true
	if len(after.Attributes) > 0 && (after.Task != c.Task || after.Baseline != c.Baseline) {
		after, kept = &signal.Cohort{}, false
	}
	c.HoldBack(after, least)
	v.After = *after
	for name, o := range h.Versions {
		if o.Slot != slot && len(o.After.Attributes) == 0 {
			delete(h.Versions, name)
		}
	}
	return kept
}

// copyOf gives a copy that shares nothing.
func copyOf(c *signal.Cohort) *signal.Cohort {
	raw, _ := json.Marshal(c) // counts and finite sums: cannot fail
	out := &signal.Cohort{}
	_ = json.Unmarshal(raw, out) // what was just written
	return out
}
