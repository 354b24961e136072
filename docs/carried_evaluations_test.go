package docs_test

import (
	"time"

	"github.com/evenkeel/evenkeel/agent/evaluations"
	"github.com/evenkeel/evenkeel/signal"
)

// ofEvaluations gives what an agent shows of a window in which evaluators judged.
func ofEvaluations() []signal.Quantity {
	begin := time.Unix(0, 0)
	b := evaluations.NewBoard(time.Minute, 0.95, begin)
	one := 1.0
	b.Add([]evaluations.Result{{Model: "m", Name: "relevance", Score: &one, Label: "pass"}}, begin)
	var out []signal.Quantity
	for _, s := range b.Scores(begin.Add(time.Minute)) {
		metric := signal.MetricEvaluationScore
		if s.Label != "" {
			metric = signal.MetricEvaluationShare
		}
		out = append(out, signal.Quantity{Metric: metric, Estimate: s.Estimate, Dimensions: s.Dimensions()})
	}
	return out
}
