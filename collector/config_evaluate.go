package collector

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// Evaluate says how rules are evaluated.
type Evaluate struct {
	Parallel int             `yaml:"parallel"` // rules whose queries run at the same time
	Jitter   config.Duration `yaml:"jitter"`   // within which rules by the clock are worked off behind their tick
	Figures  config.Duration `yaml:"figures"`  // how often the collector's own figures are told, which rules judge
}

// maxParallel bounds what one evaluator asks of the store.
const maxParallel = 64

func defaultEvaluate() Evaluate {
	return Evaluate{Parallel: 4, Jitter: config.Duration(2 * time.Second), Figures: config.Duration(time.Minute)}
}

func (e *Evaluate) validate(f *config.Faults) {
	if e.Parallel < 1 || e.Parallel > maxParallel {
		f.At("parallel").Add("%d; from 1 to %d", e.Parallel, maxParallel)
	}
	mustBePositive(f.At("figures"), e.Figures)
	if e.Jitter < 0 {
		f.At("jitter").Add("%s; not below 0", e.Jitter)
	}
}
