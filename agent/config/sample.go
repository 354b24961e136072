package config

import "github.com/evenkeel/evenkeel/internal/config"

// Sampling bounds what profiling costs, beside the rates of the models.
type Sampling struct {
	// MaxCPU is the CPU that decoding and counting may take, in cores: 0.1 is a
	// tenth of one core, as 100m is for Kubernetes. Where it does not suffice for
	// all requests, fewer are chosen, before they are copied. 0: no ceiling.
	MaxCPU float64 `yaml:"max_cpu"`
}

// maxCores is more than any machine has.
const maxCores = 4096

func (s *Sampling) validate(f *config.Faults) {
	if !(s.MaxCPU >= 0 && s.MaxCPU <= maxCores) {
		f.At("max_cpu").Add("%v is no number of cores; write for example 0.1 for a tenth of one, or 0 for no ceiling", s.MaxCPU)
	}
}

// PredictionShare is the share of the requests whose predictions are told: 0
// where none are, and that of the profile where nothing else is said or labels
// are joined here.
func (m *Model) PredictionShare() float64 {
	switch {
	case !m.Predictions.Send && !m.Labels.Join:
		return 0
	case m.Predictions.Rate == nil || !m.Predictions.Send:
		return m.Sample.Share()
	}
	return *m.Predictions.Rate
}

func (p *Predictions) validateRate(f *config.Faults) {
	switch {
	case p.Rate == nil:
	case !p.Send:
		f.Add("has no effect without send: true")
	case !(*p.Rate > 0 && *p.Rate <= 1):
		f.Add("%v is not above 0 and up to 1; leave it out to send those of the requests that are profiled", *p.Rate)
	}
}
