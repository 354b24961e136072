package collector

import (
	"time"

	"github.com/evenkeel/evenkeel/collector/evaluate"
	"github.com/evenkeel/evenkeel/collector/upkeep"
	"github.com/evenkeel/evenkeel/signal"
)

// startUpkeep starts what tells the collector's own figures to the rules.
func (r *runner) startUpkeep(evaluator *evaluate.Evaluator, systems []signal.SystemID) {
	ages := r.config.Retention.ages()
	r.life.started("upkeep", upkeep.New(upkeep.Options{
		Store: r.store, Evaluator: evaluator, Declared: systems, Every: r.config.Evaluate.Figures.Std(), Clock: r.now, Log: r.log,
		Kept: map[string]time.Duration{
			"distributions": ages.Windows, "predictions": ages.Predictions, "labels": ages.Predictions,
			"otel_logs": ages.Logs, "lineage_events": ages.Lineage,
		},
	}).Run)
}
