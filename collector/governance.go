package collector

import (
	"context"

	"github.com/evenkeel/evenkeel/collector/alerts"
	"github.com/evenkeel/evenkeel/collector/baseline"
	"github.com/evenkeel/evenkeel/collector/deployments"
)

// governance is what people and other tools tell the collector, beside
// measurements.
type governance struct {
	baselines   *baseline.Registry
	deployments *deployments.Registry
	alerts      *alerts.Taker
}

// startGovernance starts the register of baselines, which writes their age.
func (r *runner) startGovernance(context.Context) error {
	r.governance = governance{
		baselines: baseline.New(baseline.Options{Store: r.store, Register: r.register, Every: r.config.Evaluate.Figures.Std(), Clock: r.now, Log: r.log}),
		deployments: deployments.New(deployments.Options{
			Store: r.store, Register: r.register, Every: r.config.Evaluate.Figures.Std(), Clock: r.now, Log: r.log,
		}),
		alerts: alerts.New(alerts.Options{Store: r.store, Register: r.register, Rule: r.rules.Rule, Clock: r.now, Metrics: r.metrics}),
	}
	r.life.started("baselines", r.governance.baselines.Run)
	r.life.started("deployments", r.governance.deployments.Run)
	return nil
}
