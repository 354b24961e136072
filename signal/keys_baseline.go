package signal

// Metrics of the register of baselines, by the collector: one series for each
// model version whose windows are compared with a baseline.
const (
	MetricBaselineApproved = "evenkeel.baseline.approved" // 1 where a person has approved it for the model, else 0
	MetricBaselineAge      = "evenkeel.baseline.age"      // s since then; only of those that are approved
)
