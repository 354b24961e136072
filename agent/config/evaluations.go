package config

import "github.com/evenkeel/evenkeel/internal/config"

// Evaluations lets evaluators say at the admin port how they judge answers.
type Evaluations struct {
	Accept       bool         `yaml:"accept"`       // take them at POST /v1/evaluations
	Explanations bool         `yaml:"explanations"` // send them on; they often quote what was asked and answered
	MaxBody      config.Bytes `yaml:"max_body"`     // of a request, before and after decompression
}

func (e *Evaluations) validate(f *config.Faults) {
	if e.MaxBody <= 0 {
		f.At("max_body").Add("must be above 0; write for example 1MiB")
	}
}
