package model

import (
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Gauges gathers samples of the collector's own gauges at one time. The zero
// value is not ready; make one with NewGauges.
type Gauges struct {
	at   time.Time
	rows Rows
	sums map[uint64]int // place of a series in rows.Samples
}

// NewGauges begins a page of samples.
func NewGauges(at time.Time) *Gauges { return &Gauges{at: at, sums: map[uint64]int{}} }

// Add adds a value of a system and, where it is named, a model version; more
// attributes go by their OpenTelemetry names. Values with the same labels are
// added up.
func (g *Gauges) Add(name, unit string, system signal.SystemID, ref signal.ModelRef, attributes map[string]string, value float64) {
	var labels []Label
	put := func(key, v string) {
		if v != "" {
			labels = append(labels, Label{Name: signal.PrometheusName(key), Value: v})
		}
	}
	put(signal.KeySystemID, string(system))
	put(signal.KeyModelName, ref.Name)
	put(signal.KeyModelVersion, ref.Version)
	for key, v := range attributes {
		put(key, v)
	}
	s := Series{Name: signal.PrometheusName(name), Labels: SortLabels(labels), Kind: Gauge, Unit: unit, SeenAt: g.at}
	s.Fingerprint = Fingerprint(s.Name, s.Labels)
	if i, twice := g.sums[s.Fingerprint]; twice {
		g.rows.Samples[i].Value += value
		return
	}
	g.sums[s.Fingerprint] = len(g.rows.Samples)
	g.rows.Series = append(g.rows.Series, s)
	g.rows.Samples = append(g.rows.Samples, Sample{Fingerprint: s.Fingerprint, Time: g.at, Value: value})
}

// Rows gives what was added, to be written.
func (g *Gauges) Rows() *Rows { return &g.rows }
