package register

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the register's own health, for /metrics.
type metrics struct {
	events *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, r *Register) *metrics {
	m := &metrics{events: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "evenkeel_register_events",
		Help: "Events appended since the start, by type.",
	}, []string{"type"})}
	if reg == nil {
		return m
	}
	if r.opts.Shared {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "evenkeel_register_lag", Help: "Seconds since what other collectors appended was last taken in; only with a server.",
		}, func() float64 {
			r.mu.RLock()
			defer r.mu.RUnlock()
			return time.Since(r.taken).Seconds()
		}))
	}
	gauge := func(name, help string, value func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			r.mu.RLock()
			defer r.mu.RUnlock()
			return float64(value())
		})
	}
	reg.MustRegister(m.events,
		gauge("evenkeel_register_open_records", "Records that are not in a terminal state.", func() int { return len(r.open) }),
		gauge("evenkeel_register_chain_faults", "Event chains that do not verify. Anything but 0 is an alarm.", func() int { return len(r.faults) }),
	)
	return m
}
