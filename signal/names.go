package signal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SystemID names an AI system in the register (attribute evenkeel.system.id).
type SystemID string

// InstanceID names one running agent (attribute service.instance.id). It is
// stable across restarts of the agent, so that window sequences go on.
type InstanceID string

// FeatureName names one monitored column of a model's input or output.
type FeatureName string

// RuleID names a rule, for example DRF-01.
type RuleID string

// Digest is a content digest, "sha256:" and 64 hexadecimal digits.
type Digest string

// Short gives the first twelve hexadecimal digits, for people to read.
func (d Digest) Short() string {
	hex := strings.TrimPrefix(string(d), "sha256:")
	return hex[:min(12, len(hex))]
}

// ModelRef names one version of one model. An unknown version is empty.
type ModelRef struct {
	Name    string `json:"name" yaml:"name"`
	Version string `json:"version,omitempty" yaml:"version"`
}

// String gives name@version, or the name alone where no version is known.
func (m ModelRef) String() string {
	if m.Version == "" {
		return m.Name
	}
	return m.Name + "@" + m.Version
}

// WindowID names one window of one agent. Sequences start at 1 for each
// instance and model and never skip: a gap is a window that was lost.
type WindowID struct {
	Instance InstanceID
	Sequence uint64
}

// String gives instance/sequence.
func (w WindowID) String() string {
	return string(w.Instance) + "/" + strconv.FormatUint(w.Sequence, 10)
}

// ParseWindowID reads what WindowID.String wrote.
func ParseWindowID(s string) (WindowID, error) {
	i := strings.LastIndexByte(s, '/')
	if i < 1 {
		return WindowID{}, fmt.Errorf("window id %q: want instance/sequence", s)
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 64)
	if err != nil {
		return WindowID{}, fmt.Errorf("window id %q: sequence: %w", s, err)
	}
	return WindowID{Instance: InstanceID(s[:i]), Sequence: n}, nil
}

// FormatWindows writes window ids shortly: sorted, one text for each run of
// sequences without a gap, instance/first-last, or instance/sequence for a run
// of one. An id that is there twice is written once.
func FormatWindows(ids []WindowID) []string {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b WindowID) int {
		return cmp.Or(cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Sequence, b.Sequence))
	})
	sorted = slices.Compact(sorted)
	var out []string
	for start := 0; start < len(sorted); {
		end := start + 1
		for end < len(sorted) && sorted[end].Instance == sorted[start].Instance && sorted[end].Sequence == sorted[end-1].Sequence+1 {
			end++
		}
		text := sorted[start].String()
		if end-start > 1 {
			text += "-" + strconv.FormatUint(sorted[end-1].Sequence, 10)
		}
		out = append(out, text)
		start = end
	}
	return out
}

// maxRun bounds what one text may stand for: a window a second for a year.
const maxRun = 366 * 24 * 3600

// ParseWindows reads one text of FormatWindows.
func ParseWindows(s string) ([]WindowID, error) {
	head, lastText, isRun := s, "", false
	if i := strings.LastIndexByte(s, '-'); i > strings.LastIndexByte(s, '/') {
		head, lastText, isRun = s[:i], s[i+1:], true
	}
	first, err := ParseWindowID(head)
	if err != nil {
		return nil, err
	}
	if !isRun {
		return []WindowID{first}, nil
	}
	last, err := strconv.ParseUint(lastText, 10, 64)
	if err != nil || last <= first.Sequence || last-first.Sequence >= maxRun {
		return nil, fmt.Errorf("windows %q: want instance/first-last", s)
	}
	ids := make([]WindowID, 0, last-first.Sequence+1)
	for sequence := first.Sequence; sequence <= last; sequence++ {
		ids = append(ids, WindowID{Instance: first.Instance, Sequence: sequence})
	}
	return ids, nil
}
