package signal

import (
	"fmt"
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
