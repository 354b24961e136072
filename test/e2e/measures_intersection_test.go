package e2e

import (
	"fmt"
	"testing"
	"time"
)

// wantIntersection looks for what the fleet says about gender and region at once:
// what was decided, and, since predictions and labels say who they are of, how
// often that was wrong.
func (m *measured) wantIntersection(t *testing.T) {
	t.Helper()
	of := fmt.Sprintf(`evenkeel_system_id=%q, evenkeel_model_name=%q, evenkeel_scope="fleet", evenkeel_protected_attribute="gender x region"`, measuredSystem, loanModel)
	against := `evenkeel_group="gender=female, region=south", evenkeel_reference_group="gender=male, region=north"`
	for what, selector := range map[string]string{
		"impact ratio":      of + `, evenkeel_fairness_metric="impact_ratio_min_max"`,
		"disparate impact":  of + `, evenkeel_fairness_metric="disparate_impact", ` + against,
		"equalized odds":    of + `, evenkeel_fairness_metric="equalized_odds", ` + against,
		"equal calibration": of + `, evenkeel_fairness_metric="calibration_error", evenkeel_group="gender=female, region=south"`,
		"equal opportunity": of + `, evenkeel_fairness_metric="equal_opportunity_difference", ` + against,
	} {
		query := fmt.Sprintf(`last_over_time(evenkeel_fairness_disparity{%s}[10m])`, selector)
		eventually(t, 30*time.Second, "the "+what+" of gender x region", func() bool { return len(m.query(t, query)) > 0 })
	}
}
