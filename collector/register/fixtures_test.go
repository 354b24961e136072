package register_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	system = signal.SystemID("loan-approval")
	length = 10 * time.Second
)

var (
	epoch   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	officer = model.Actor{ID: "a.officer", Kind: "person"}
)

// driftRule is a rule as the shipped pack states it, with the limit given.
func driftRule(t testing.TB, limit string) *rules.Effective {
	t.Helper()
	fail, err := rules.ParseLimit(limit)
	if err != nil {
		t.Fatal(err)
	}
	return &rules.Effective{
		Digest: "sha256:" + signal.Digest(fmt.Sprintf("%064d", 7)),
		Rule: rules.Rule{
			Pack: "iso42001-drift", Version: 1, ID: "DRF-01", Title: "Input feature drift", Fail: fail,
			Method:      rules.Method{Window: config.Duration(length)},
			Subject:     []string{"evenkeel_model_name", "evenkeel_model_version", "evenkeel_feature_name"},
			Responsible: rules.Responsible{Analyse: "ml-oncall", Evaluate: "ai-risk-owner"},
			NoData:      rules.NoDataPolicy{Opens: rules.OpensObservation},
			OnFail:      rules.OnFail{Opens: rules.OpensNonconformity, Severity: "minor", Requires: rules.RequiresCriterion},
			Refs:        map[string][]string{"nist_ai_rmf": {"MEASURE 2.4"}, "iso42001": {"9.1", "A.6.2.6"}},
			Runbook:     "docs/runbooks/DRF-01.md",
		},
	}
}

// verdict makes the evaluation of window n for one feature and model version.
func verdict(n int, feature, version string, v signal.Verdict, state model.RuleState, value float64) model.Evaluation {
	end := epoch.Add(time.Duration(n) * length)
	return model.Evaluation{
		ID:   uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "%d/%s/%s", n, feature, version)).String(),
		Rule: "DRF-01", RuleVersion: 1, System: system, Verdict: v, State: state, Streak: 1, Value: &value, Samples: 1204,
		Subject: map[string]string{
			"evenkeel_system_id": string(system), "evenkeel_model_name": "loan", "evenkeel_model_version": version,
			"evenkeel_feature_name": feature, "service_instance_id": fmt.Sprint("pod-", n),
		},
		FailLimit: "> 0.25", WindowStart: end.Add(-length), WindowEnd: end, EvaluatedAt: end.Add(time.Second),
		Reason: fmt.Sprintf("%s is %.2f, above 0.25", feature, value),
	}
}
