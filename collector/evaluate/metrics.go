package evaluate

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the evaluator's own health.
type metrics struct {
	evaluations *prometheus.CounterVec
	missed      *prometheus.CounterVec
	seconds     prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) metrics {
	f := promauto.With(reg)
	return metrics{
		evaluations: f.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_evaluate_evaluations", Help: "Evaluations that were stored, by verdict.",
		}, []string{"verdict"}),
		missed: f.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_evaluate_missed", Help: "Evaluations of a rule that were due and did not take place.",
		}, []string{"rule"}),
		seconds: f.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_evaluate_duration", Help: "Seconds to evaluate one rule for all subjects of a window.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
}
