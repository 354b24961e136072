package config

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
)

// Intake takes what others have logged, instead of a place before the model
// server: CloudEvents of KServe's inference logger.
type Intake struct {
	Listen string          `yaml:"listen"` // where loggers post; may face the network, as they are not on this machine. Empty: none
	Wait   config.Duration `yaml:"wait"`   // how long a request and its answer wait for each other
	Queue  config.Bytes    `yaml:"queue"`  // bodies that wait for their other half, or to be decoded; what does not fit is dropped and counted
}

func (c *Config) validateIntake(f *config.Faults) {
	i := &c.Intake
	if i.Listen != "" {
		address(f.At("listen"), i.Listen)
		for name, other := range map[string]string{"the inference": c.Listen, "the admin": c.Admin.Listen} {
			if i.Listen == other && !strings.HasSuffix(other, ":0") {
				f.At("listen").Add("%s is %s port as well; give it a port of its own", other, name)
			}
		}
	}
	positive(f.At("wait"), i.Wait)
	if i.Queue < 4*c.Tap.MaxBody {
		f.At("queue").Add("%s does not hold two exchanges of tap.max_body %s; raise it", i.Queue, c.Tap.MaxBody)
	}
}
