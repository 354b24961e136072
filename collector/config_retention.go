package collector

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/collector/retention"
	"github.com/evenkeel/evenkeel/internal/config"
)

// Retention says how long what was measured is kept; 0: for ever.
type Retention struct {
	Every       config.Duration `yaml:"every"` // how often old days are looked for
	Samples     config.Duration `yaml:"samples"`
	Windows     config.Duration `yaml:"windows"`
	Predictions config.Duration `yaml:"predictions"` // and labels
	Traces      config.Duration `yaml:"traces"`
	Logs        config.Duration `yaml:"logs"`
	Lineage     config.Duration `yaml:"lineage"`
}

func defaultRetention() Retention { return Retention{Every: config.Duration(time.Hour)} }

// The shortest times that something is kept: what is judged looks back so far;
// logs are asked for by authorities half a year later.
const (
	leastKept     = 30 * 24 * time.Hour
	leastLogsKept = 190 * 24 * time.Hour
)

func (r *Retention) ages() retention.Ages {
	return retention.Ages{
		Samples: r.Samples.Std(), Windows: r.Windows.Std(), Predictions: r.Predictions.Std(),
		Traces: r.Traces.Std(), Logs: r.Logs.Std(), Lineage: r.Lineage.Std(),
	}
}

// labelled is how long after its window a prediction may get its label, in any
// system.
func (c *Config) labelled() time.Duration {
	longest := c.Labels.Horizon.Std()
	for _, s := range c.Systems {
		longest = max(longest, s.Labels.Horizon.Std())
	}
	return longest + c.Labels.Late.Std()
}

func (c *Config) validateRetention(f *config.Faults) {
	r := &c.Retention
	mustBePositive(f.At("every"), r.Every)
	for _, kept := range []struct {
		name  string
		age   config.Duration
		least time.Duration
		why   string
	}{
		{"samples", r.Samples, leastKept, "rules look back"},
		{"windows", r.Windows, leastKept, "windows are compared"},
		{"predictions", r.Predictions, leastKept + c.labelled(), "labels are waited for"},
		{"traces", r.Traces, leastKept, "people look back"},
		{"logs", r.Logs, leastLogsKept, "logs must be kept for half a year"},
		{"lineage", r.Lineage, leastLogsKept, "records name what stood behind a prediction"},
	} {
		if kept.age != 0 && kept.age.Std() < kept.least {
			f.At(kept.name).Add("%s; at least %s, since %s, or 0 for ever", kept.age, config.Duration(kept.least), kept.why)
		}
	}
}

// startRetention starts the job that drops old days, where some are to be.
func (r *runner) startRetention(context.Context) error {
	c := &r.config
	if !c.Retention.ages().Any() {
		return nil
	}
	job := retention.New(retention.Options{
		Store: r.store, Records: r.register.List, Ages: c.Retention.ages(), After: c.labelled(),
		Every: c.Retention.Every.Std(), Log: r.log, Metrics: r.metrics,
	})
	r.life.started("retention", job.Run)
	return nil
}
