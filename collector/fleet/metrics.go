package fleet

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are fleet's own health.
type metrics struct {
	sealed          prometheus.Counter
	late            prometheus.Counter
	lateLabels      prometheus.Counter
	revised         prometheus.Counter
	latePredictions prometheus.Counter
	gaps            prometheus.Counter
	absent          prometheus.Counter
	skipped         prometheus.Counter
	failed          prometheus.Counter
	unscored        *prometheus.CounterVec
	waiting         prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) metrics {
	f := promauto.With(reg)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "evenkeel_fleet_" + name, Help: help})
	}
	return metrics{
		sealed:          counter("sealed", "Windows over all replicas that were sealed and stored."),
		late:            counter("late", "Agents' windows that came after their slot was sealed; not added."),
		lateLabels:      counter("late_labels", "Labels that came after the labelled window of their prediction was due; not in what was judged."),
		revised:         counter("revised", "Labelled windows that were counted again because labels came late."),
		latePredictions: counter("late_predictions", "Predictions that came after their labelled window was sealed; not added."),
		gaps:            counter("gaps", "Agents' windows that are missing from their sequence or incomplete."),
		absent:          counter("absent", "Replicas that were expected in a slot and not in it."),
		skipped:         counter("skipped", "Slots that ended too long before the start to be sealed."),
		failed:          counter("failed", "Windows that the store holds differently and that were given up."),
		unscored: f.NewCounterVec(prometheus.CounterOpts{
			Name: "evenkeel_fleet_unscored", Help: "Merged distributions without a score, by reason.",
		}, []string{"reason"}),
		waiting: f.NewGauge(prometheus.GaugeOpts{
			Name: "evenkeel_fleet_waiting", Help: "Slots that are due and wait for replicas or for the store.",
		}),
	}
}
