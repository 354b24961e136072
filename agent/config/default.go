package config

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// Default gives the configuration of an empty file. It lacks what only the
// user knows, the system and its models, so it does not validate by itself.
func Default() *Config {
	return &Config{
		State:    "~/.local/state/evenkeel-agent",
		Listen:   "127.0.0.1:9001",
		Upstream: "http://127.0.0.1:8080",
		Admin:    Admin{Listen: "127.0.0.1:9464"},
		Tap:      defaultTap(),
		Models:   []Model{},
		Window: Window{
			Length:     config.Duration(time.Minute),
			MinShare:   0.02,
			MinCell:    5,
			Confidence: 0.95,
		},
		Export: Export{
			Endpoint:     "http://127.0.0.1:4318",
			Timeout:      config.Duration(10 * time.Second),
			Spool:        Spool{Max: 256 << 20, MaxAge: config.Duration(30 * 24 * time.Hour)},
			MetricsEvery: config.Duration(15 * time.Second),
		},
		Heartbeat:   config.Duration(15 * time.Second),
		Lineage:     Lineage{Every: config.Duration(time.Hour)},
		StopTimeout: config.Duration(5 * time.Second),
		Reload:      Reload{Watch: config.Duration(5 * time.Second)},
		Baselines:   Baselines{Every: config.Duration(30 * time.Second), MaxBody: 16 << 20},
		Intake:      Intake{Wait: config.Duration(30 * time.Second), Queue: 64 << 20},
		Scrape: Scrape{
			Every: config.Duration(15 * time.Second), Timeout: config.Duration(5 * time.Second),
			MaxBody: 8 << 20, Servers: []ScrapeServer{},
		},
		Spans: Spans{Rate: 0.01, Slow: 0.99, Every: config.Duration(10 * time.Second), MaxCount: 100, MaxBytes: 256 << 10},

		Evaluations: Evaluations{MaxBody: 1 << 20},
	}
}
