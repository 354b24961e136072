package collector

import (
	"log/slog"

	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/internal/config"
)

// Query bounds what one PromQL query may cost, a rule's or a person's.
type Query struct {
	Timeout    config.Duration `yaml:"timeout"`
	MaxSamples int             `yaml:"max_samples"` // in memory at once
	MaxSeries  int             `yaml:"max_series"`  // that one selector reads
	Lookback   config.Duration `yaml:"lookback"`    // how old the newest sample of an instant vector may be; rules have their window's
}

// defaultQuery has its numbers from query.
func defaultQuery() Query {
	o := query.Options{}.WithDefaults()
	return Query{config.Duration(o.Timeout), o.MaxSamples, o.MaxSeries, config.Duration(o.Lookback)}
}

func (q *Query) validate(f *config.Faults) {
	mustBePositive(f.At("timeout"), q.Timeout)
	mustBePositive(f.At("lookback"), q.Lookback)
	for name, n := range map[string]int{"max_samples": q.MaxSamples, "max_series": q.MaxSeries} {
		if n < 1 {
			f.At(name).Add("%d; at least 1", n)
		}
	}
}

func (q *Query) options(log *slog.Logger) query.Options {
	return query.Options{
		Timeout: q.Timeout.Std(), MaxSamples: q.MaxSamples, MaxSeries: q.MaxSeries, Lookback: q.Lookback.Std(), Logger: log,
	}
}
