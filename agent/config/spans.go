package config

import "github.com/evenkeel/evenkeel/internal/config"

// Spans says which requests are told as OpenTelemetry spans: some by their id, and
// whatever the rate those that failed or took long. They hold no value of a request
// or an answer.
type Spans struct {
	Send     bool            `yaml:"send"`
	Rate     float64         `yaml:"rate"`      // share of the requests, chosen by their id; 0: only errors and slow ones
	Slow     float64         `yaml:"slow"`      // quantile of a model's durations beyond which a request is slow; 0: none is
	Every    config.Duration `yaml:"every"`     // length of the intervals in which spans are chosen and sent
	MaxCount int             `yaml:"max_count"` // requests that are told in an interval: errors first, then the slowest
	MaxBytes config.Bytes    `yaml:"max_bytes"` // memory of their spans
}

func (s *Spans) validate(f *config.Faults) {
	if !(s.Rate >= 0 && s.Rate <= 1) {
		f.At("rate").Add("%v is not a share from 0 to 1; 0 tells only errors and slow requests", s.Rate)
	}
	if !(s.Slow >= 0 && s.Slow < 1) {
		f.At("slow").Add("%v is not a quantile from 0 to below 1; write for example 0.99, or 0 to tell no slow requests", s.Slow)
	}
	positive(f.At("every"), s.Every)
	if s.MaxCount <= 0 {
		f.At("max_count").Add("must be above 0; leave send out to tell no requests")
	}
	if s.MaxBytes < minSpans {
		f.At("max_bytes").Add("%s does not hold one span; give at least %s", s.MaxBytes, config.Bytes(minSpans))
	}
}

// minSpans holds the span with the longest texts.
const minSpans = 16 << 10
