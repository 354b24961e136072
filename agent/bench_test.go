package agent

import (
	"strconv"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/signal"
)

// BenchmarkPredictions turns an observation of 100 rows, with a decision, a score
// that is new in each row and one group, into predictions.
func BenchmarkPredictions(b *testing.B) {
	const rows = 100
	obs := &signal.Observation{
		Model: signal.ModelRef{Name: "loans", Version: "1"}, Time: time.Unix(1700000000, 0), Rows: rows, Request: "a-request-of-a-client",
		Columns: []signal.Column{
			{Name: "gender", Target: signal.TargetFeature},
			{Name: "income", Target: signal.TargetFeature, Numbers: make([]float64, rows)},
			{Name: "approved", Target: signal.TargetPrediction},
			{Name: "probability", Target: signal.TargetPrediction},
		},
	}
	for i := range rows {
		obs.Columns[0].Strings = append(obs.Columns[0].Strings, []string{"female", "male"}[i%2])
		obs.Columns[2].Numbers = append(obs.Columns[2].Numbers, float64(i%2))
		obs.Columns[3].Numbers = append(obs.Columns[3].Numbers, float64(i)/rows)
	}
	m := &monitored{Model: agentconfig.Model{
		Name: "loans", Outcome: agentconfig.Outcome{Output: "approved", Score: "probability"},
		Predictions: agentconfig.Predictions{Send: true, Groups: []signal.FeatureName{"gender"}, LawfulBasis: "a law"},
	}}
	p := newPredictor(m, "loan-approval", "i-1")
	b.ReportAllocs()
	for b.Loop() {
		if got := p.predictions(obs); len(got) != rows {
			b.Fatal(len(got))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
}

// BenchmarkSample chooses among requests with ids.
func BenchmarkSample(b *testing.B) {
	ids := make([]string, 1024)
	for i := range ids {
		ids[i] = "request-" + strconv.Itoa(i)
	}
	s, c := newSampler(0.1, 0), newCeiling()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		choice := c.draw(ids[i%len(ids)], 1)
		s.keep(&choice, ids[i%len(ids)])
	}
}
