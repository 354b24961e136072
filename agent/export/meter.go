package export

import "go.opentelemetry.io/otel/metric"

// Meter gives the meter of the agent's metrics, for those that other parts
// record by themselves: they leave over OTLP and stand at /metrics like the
// exporter's own.
func (e *Exporter) Meter() metric.Meter { return e.views.meter }
