package agent

import (
	"fmt"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/signal"
)

// rateInForce is the share of a model's requests that are profiled now.
func (a *Agent) rateInForce(s *served) float64 { return s.sampler.rate * a.ceiling.current() }

// sampleFigures show how much is profiled, and what that takes.
func (a *Agent) sampleFigures() []export.Figure {
	return []export.Figure{
		{
			Name: signal.MetricSampleRate, Unit: "1", About: "Share of the requests that are profiled, as the rate and the CPU ceiling have it now.",
			Read: func(tell tell) {
				for _, s := range a.plan().inOrder() {
					tell(a.rateInForce(s), modelLabel(s.Name))
				}
			},
		},
		{
			Name: signal.MetricProfilingCPU, Unit: "s", Counter: true, About: "CPU time that decoding and counting took.",
			Read: func(tell tell) { tell(a.ceiling.Used().Seconds()) },
		},
	}
}

// statusOfSampling says how much is profiled.
func (a *Agent) statusOfSampling(w io.Writer) {
	p := a.plan()
	limit := "no ceiling"
	if p.c.Sample.MaxCPU > 0 {
		limit = fmt.Sprintf("ceiling of %v cores", p.c.Sample.MaxCPU)
	}
	line(w, "profiling", a.ceiling.Used().Round(time.Millisecond), "of CPU,", limit)
	line(w, "model", "rate", "declared", "over the ceiling")
	for _, s := range p.inOrder() {
		line(w, "  "+s.Name, fmt.Sprintf("%.4g", a.rateInForce(s)), s.sampler.rate, a.captured(s.monitored).OverCeiling)
	}
	line(w)
}
