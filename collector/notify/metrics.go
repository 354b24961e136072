package notify

import "github.com/prometheus/client_golang/prometheus"

// metrics count what became of every try.
type metrics struct{ deliveries *prometheus.CounterVec }

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "evenkeel_notify_deliveries",
		Help: "Tries to hand a record's event to a sink, by outcome: delivered, retried, refused.",
	}, []string{"sink", "outcome"})}
	if reg != nil {
		reg.MustRegister(m.deliveries)
	}
	return m
}
