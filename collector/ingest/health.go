package ingest

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/spool"
)

// Health holds the collector's own metrics about taking in and storing. One is
// shared by the server and the drain.
type Health struct {
	requests  *prometheus.CounterVec // signal, transport, outcome
	records   *prometheus.CounterVec // signal
	refused   *prometheus.CounterVec // reason
	dropped   *prometheus.CounterVec // part
	predicted prometheus.Counter
	labelled  prometheus.Counter
	batches   prometheus.Counter
	rows      prometheus.Counter
	retries   prometheus.Counter
	rejected  prometheus.Counter
	seconds   prometheus.Histogram
}

// NewHealth makes the metrics and registers them together with the spool's.
func NewHealth(registry prometheus.Registerer, sp *spool.Spool) (*Health, error) {
	h := &Health{
		requests:  counters("evenkeel_ingest_requests", "Export requests by what became of them.", "signal", "transport", "outcome"),
		records:   counters("evenkeel_ingest_records", "Log records, data points and spans acknowledged, without those refused.", "signal"),
		refused:   counters("evenkeel_ingest_refused", "Log records, data points and spans refused in acknowledged requests.", "reason"),
		dropped:   counters("evenkeel_ingest_dropped", "Parts of acknowledged items that the tables have no place for.", "part"),
		predicted: counter("evenkeel_ingest_predictions", "Predictions among the log records acknowledged."),
		labelled:  counter("evenkeel_ingest_labels", "Labels among the log records acknowledged."),
		batches:   counter("evenkeel_insert_batches", "Batches that the store confirmed."),
		rows:      counter("evenkeel_insert_rows", "Rows in those batches."),
		retries:   counter("evenkeel_insert_retries", "Tries that failed and were repeated."),
		rejected:  counter("evenkeel_insert_rejected", "Batches put aside because the store can never take them: look at them."),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "evenkeel_insert_duration", Help: "Seconds from a batch's first try to the store's confirmation.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
	all := append([]prometheus.Collector{h.requests, h.records, h.refused, h.dropped, h.predicted, h.labelled, h.batches, h.rows, h.retries, h.rejected, h.seconds},
		spoolMetrics(sp)...)
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register the health metrics of ingest: %w", err)
		}
	}
	return h, nil
}

// count takes note of a request that was acknowledged and is no repetition.
func (h *Health) count(kind spool.Kind, t *Tally) {
	h.records.WithLabelValues(kind.String()).Add(float64(t.Items - min(t.Items, t.Refused.Count)))
	h.predicted.Add(float64(t.Predictions))
	h.labelled.Add(float64(t.Labels))
	for reason, n := range t.Refused.ByReason {
		h.refused.WithLabelValues(reason).Add(float64(n))
	}
	for part, n := range t.Dropped {
		h.dropped.WithLabelValues(part).Add(float64(n))
	}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

// spoolMetrics reads the spool's counts when asked.
func spoolMetrics(sp *spool.Spool) []prometheus.Collector {
	gauge := func(name, help string, read func(spool.Stats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return read(sp.Stats()) })
	}
	count := func(name, help string, read func(spool.Stats) float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return read(sp.Stats()) })
	}
	return []prometheus.Collector{
		gauge("evenkeel_spool_bytes", "Bytes of the spool's segments.", func(s spool.Stats) float64 { return float64(s.Bytes) }),
		gauge("evenkeel_spool_records", "Requests that wait for the store.", func(s spool.Stats) float64 { return float64(s.Records) }),
		gauge("evenkeel_spool_healthy", "1, or 0 after a disk error that made the spool refuse everything.", func(spool.Stats) float64 {
			if sp.Healthy() != nil {
				return 0
			}
			return 1
		}),
		count("evenkeel_spool_quarantined", "Batches put aside: look at them.", func(s spool.Stats) float64 { return float64(s.QuarantinedBatches) }),
		count("evenkeel_spool_damaged_bytes", "Bytes found damaged; requests in them are lost.", func(s spool.Stats) float64 { return float64(s.DamagedBytes) }),
		count("evenkeel_spool_torn_bytes", "Bytes of interrupted writes found at the start; nobody was told that they are stored.", func(s spool.Stats) float64 { return float64(s.TornBytes) }),
		count("evenkeel_spool_duplicates", "Repeated requests acknowledged without storing again.", func(s spool.Stats) float64 { return float64(s.Duplicates) }),
		count("evenkeel_spool_forgotten", "Names of requests forgotten before their time; a repeated one would be stored twice.", func(s spool.Stats) float64 { return float64(s.Forgotten) }),
	}
}
