package collector

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// AllLabels says how long labels are waited for, where a system says nothing
// else, and what those that come later do.
type AllLabels struct {
	Horizon config.Duration `yaml:"horizon"` // from the end of a prediction's window
	Late    config.Duration `yaml:"late"`    // after the horizon; labels revise a cohort for so long; 0: never
}

func defaultLabels() AllLabels {
	return AllLabels{Horizon: config.Duration(24 * time.Hour), Late: config.Duration(7 * 24 * time.Hour)}
}
