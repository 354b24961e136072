package collector

import "github.com/evenkeel/evenkeel/collector/ingest"

// limit puts the configured bounds into the server's options.
func (o *OTLP) limit(to *ingest.ServerOptions) {
	to.MaxRequest = int64(o.MaxRequest)
	to.MaxInflight = int64(o.MaxInflight)
	to.Limits = ingest.Limits{
		MaxAge: o.MaxAge.Std(), MaxAhead: o.MaxAhead.Std(),
		Series: ingest.SeriesBudgetOptions{PerSource: o.Series.PerSource, Total: o.Series.Total, Idle: o.Series.Idle.Std()},
	}
}
