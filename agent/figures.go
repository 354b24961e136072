package agent

import (
	"context"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/signal"
)

// watchOperation shows how the agent's operation stands in the metrics.
func (a *Agent) watchOperation(context.Context) error {
	return a.exporter.Show(slices.Concat(a.configFigures(), a.baselineFigures(), a.sampleFigures(), a.joinFigures(), a.changeFigures(), a.lineageFigures(), a.measuredFigures())...)
}

type tell = func(value float64, labels ...export.Label)

func (a *Agent) configFigures() []export.Figure {
	return []export.Figure{
		{
			Name: signal.MetricConfigInfo, Unit: "1", About: "1 for the configuration in force, which the digest names.",
			Read: func(tell tell) { tell(1, export.Label{Key: signal.KeyConfigDigest, Value: a.inForce.Load().digest}) },
		},
		{
			Name: signal.MetricConfigLoaded, Unit: "s", About: "When the configuration in force was loaded, in seconds since the Unix epoch.",
			Read: func(tell tell) { tell(float64(a.inForce.Load().since.UnixMilli()) / 1000) },
		},
		{
			Name: signal.MetricConfigFailures, Unit: "{configuration}", Counter: true, About: "Changed configurations that were refused.",
			Read: func(tell tell) { tell(float64(a.failures.Load())) },
		},
	}
}

func (a *Agent) baselineFigures() []export.Figure {
	return []export.Figure{
		{
			Name: signal.MetricBaselineInfo, Unit: "1", About: "1 for what a model is compared with, and where that comes from.",
			Read: func(tell tell) {
				for _, s := range a.plan().inOrder() {
					tell(1, modelLabel(s.Name), export.Label{Key: signal.KeyBaselineID, Value: s.digest.Short()}, export.Label{Key: signal.KeyBaselineOrigin, Value: string(s.origin)})
				}
			},
		},
		{
			Name: signal.MetricBaselineLearning, Unit: "{row}", About: "Rows of which a baseline is to be learnt, so far.",
			Read: func(tell tell) {
				for _, s := range a.plan().inOrder() {
					if s.learner != nil {
						tell(float64(s.learner.Rows()), modelLabel(s.Name))
					}
				}
			},
		},
	}
}

// measuredFigures are what the agent finds out about others.
func (a *Agent) measuredFigures() []export.Figure {
	return []export.Figure{
		{
			Name: signal.MetricClockOffset, Unit: "s", About: "The collector's clock minus this machine's.",
			Read: func(tell tell) {
				if o, ok := a.clock.Offset(); ok {
					tell(o.Seconds)
				}
			},
		},
		{
			Name: signal.MetricClockUncertainty, Unit: "s", About: "How far the clock's offset may be from what is told.",
			Read: func(tell tell) {
				if o, ok := a.clock.Offset(); ok {
					tell(o.Uncertainty)
				}
			},
		},
		{
			Name: signal.MetricServerRequests, Unit: "{request}", Counter: true, About: "Requests that the model server counted itself.",
			Read: func(tell tell) {
				for _, r := range a.scraper.Readings() {
					if r.HasRequests {
						tell(r.Requests, a.serverLabel(r.Model))
					}
				}
			},
		},
		{
			Name: signal.MetricServerSaturation, Unit: "1", About: "How near the model server is to its limit, from 0 to 1.",
			Read: func(tell tell) {
				for _, r := range a.scraper.Readings() {
					if r.HasSaturation {
						tell(r.Saturation, a.serverLabel(r.Model))
					}
				}
			},
		},
		{
			Name: signal.MetricScrapeFailures, Unit: "{scrape}", Counter: true, About: "Scrapes of the model server's metrics that failed, by the server's place in the configuration.",
			Read: func(tell tell) {
				for i, s := range a.scraper.States() {
					tell(float64(s.Failures), export.Label{Key: signal.KeyServer, Value: strconv.Itoa(i)})
				}
			},
		},
	}
}

func modelLabel(name string) export.Label { return export.Label{Key: signal.KeyModelName, Value: name} }
