package demo

import (
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// Account is what a run comes down to. Acknowledged, Stored, Lost and
// Duplicated count window events, and come from the demo's journal and the
// rows that the store holds, not from the collector's counters.
type Account struct {
	Records           []Record `json:"records"`
	Acknowledged      int      `json:"acknowledged"` // window events that the collector answered for
	Stored            int      `json:"stored"`       // rows of them, repeated ones included
	Lost              int      `json:"lost"`         // acknowledged and not stored
	Duplicated        int      `json:"duplicated"`   // rows beyond the first of each event
	InferenceRequests int64    `json:"inference_requests"`
	InferenceErrors   int64    `json:"inference_errors"`
	Seconds           float64  `json:"seconds"` // from the stream's start to its end
}

// Record is one nonconformity that was opened during the run.
type Record struct {
	ID      string            `json:"id"`
	Rule    signal.RuleID     `json:"rule"`
	Group   string            `json:"group"` // drift, fairness, ...: the pack's
	Subject map[string]string `json:"subject"`
	Value   *float64          `json:"value"`
	Opened  float64           `json:"opened_after_s"` // from the stream's start
}

// Groups of the rules that the demo waits for.
const (
	groupDrift    = "drift"
	groupFairness = "fairness"
)

// subjectText writes the labels that name a subject for people: the feature,
// or the attribute and the group.
func subjectText(subject map[string]string) string {
	var parts []string
	for _, label := range []string{"evenkeel_feature_name", "evenkeel_protected_attribute", "evenkeel_group", "service_instance_id"} {
		if v := subject[label]; v != "" {
			parts = append(parts, v)
		}
	}
	if len(parts) == 0 {
		return subject["evenkeel_model_name"]
	}
	return strings.Join(parts, " ")
}
