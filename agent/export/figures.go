package export

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Figure is a number that another part of the agent shows, over OTLP and at
// /metrics. Read is called at every export and scrape and must not block; it
// tells each value, with what tells it from the others.
type Figure struct {
	Name, Unit, About string
	Counter           bool // it never goes back; else it is a gauge
	Read              func(tell func(value float64, labels ...Label))
}

// Label is an attribute of a figure's value.
type Label struct{ Key, Value string }

// Show adds figures. It is called before or after Start, each name once.
func (e *Exporter) Show(figures ...Figure) error {
	var made []metric.Observable
	var read []func(metric.Observer)
	for _, f := range figures {
		i, err := e.instrument(f)
		if err != nil {
			return errs.E("show "+f.Name, errs.Other, err, "")
		}
		made = append(made, i)
		read = append(read, func(o metric.Observer) {
			f.Read(func(value float64, labels ...Label) {
				o.ObserveFloat64(i, value, metric.WithAttributes(attributes(labels)...))
			})
		})
	}
	_, err := e.views.meter.RegisterCallback(guarded(e.o.Guard, func(o metric.Observer) {
		for _, r := range read {
			r(o)
		}
	}), made...)
	if err != nil {
		return errs.E("show figures", errs.Other, err, "")
	}
	return nil
}

func (e *Exporter) instrument(f Figure) (metric.Float64Observable, error) {
	unit, about := metric.WithUnit(f.Unit), metric.WithDescription(f.About)
	if f.Counter {
		return e.views.meter.Float64ObservableCounter(f.Name, unit, about)
	}
	return e.views.meter.Float64ObservableGauge(f.Name, unit, about)
}

func attributes(labels []Label) []attribute.KeyValue {
	out := make([]attribute.KeyValue, len(labels))
	for i, l := range labels {
		out[i] = attribute.String(l.Key, l.Value)
	}
	return out
}

// State is what the status page says about the export.
type State struct {
	Spool     map[Kind]Counts
	Held      int64 // windows in memory, which the spool did not take
	HeldLost  int64
	RowsLost  map[string]int64
	LastTaken int64 // when the collector took something last, seconds since the Unix epoch; 0: not yet
}

// State gives the account as it is now.
func (e *Exporter) State() State {
	s := State{Spool: map[Kind]Counts{}, LastTaken: e.lastTaken.Load()}
	for _, k := range kinds {
		s.Spool[k] = e.spool.Counts(k)
	}
	s.Held, s.HeldLost = e.held.account()
	s.RowsLost = e.predictions.lost(s.Spool[Predictions])
	return s
}
