package model_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// drawRecord makes any record that the register could make.
func drawRecord(t *rapid.T) model.Record {
	text := rapid.String()
	at := func(name string) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, name)).UTC()
	}
	value := rapid.Ptr(rapid.Float64Range(-1e9, 1e9), true)
	system := rapid.StringN(1, 20, -1).Draw(t, "system")
	cleared := at("cleared")
	return model.Record{
		ID: text.Draw(t, "id"), Ref: "NC-2026-00001", Tenant: "default", DedupKey: "sha256:aa", Kind: "nonconformity", Severity: "minor",
		State: "open", Condition: "failing", Rule: "DRF-01", RuleTitle: text.Draw(t, "title"), RuleDigest: "sha256:bb", Evaluation: "e1",
		Requirements: []model.Requirement{{Framework: "iso42001", Ref: "9.1"}}, Statement: text.Draw(t, "statement"), System: signal.SystemID(system),
		Subject: map[string]string{
			"evenkeel_system_id": system, "evenkeel_model_name": rapid.StringN(1, 20, -1).Draw(t, "model"),
			"evenkeel_feature_name": text.Draw(t, "feature"),
		},
		ModelVersions: []string{"1", "2"}, Value: value.Draw(t, "value"), Worst: value.Draw(t, "worst"), Last: value.Draw(t, "last"),
		Limit: "outside [-0.1, 0.1]", Occurrences: rapid.Uint64Range(1, 1<<50).Draw(t, "occurrences"),
		DetectedAt: at("detected"), OpenedAt: at("opened"), LastSeenAt: at("seen"), ClearedAt: &cleared,
		AwareAt: &cleared, AcknowledgeBy: &model.Actor{ID: "a", Kind: "person"}, Responsible: map[string]string{"analyse": "ml-oncall"},
		Runbook: "docs/runbooks/DRF-01.md", Seq: rapid.Uint64Range(1, 1<<50).Draw(t, "seq"), Head: "sha256:cc",
	}
}

func TestRecordReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawRecord(t)
		raw, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got model.Record
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

// TestRecordHasWhatTheSchemaRequires names the schema's required fields, less
// severity, which only nonconformities have.
func TestRecordHasWhatTheSchemaRequires(t *testing.T) {
	raw, err := json.Marshal(model.Record{Kind: "observation", Requirements: []model.Requirement{}})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"id", "ref", "tenant", "dedup_key", "kind", "state", "condition", "source", "requirements",
		"statement", "subject", "detected_at", "opened_at", "head",
	} {
		if _, ok := got[name]; !ok {
			t.Errorf("no %s", name)
		}
	}
	if _, ok := got["severity"]; ok {
		t.Error("an observation has a severity")
	}
}
