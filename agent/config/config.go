// Package config is the agent's configuration file: what each setting means,
// its default, and every way in which a file can be wrong.
//
//	agent.yaml -> Load -> Config -> agent.Run
//
// Defaults are written once, in Default; a file states only what differs.
package config

import (
	"fmt"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Config is the content of agent.yaml.
type Config struct {
	File string `yaml:"-"` // where it was loaded from, for messages

	System      signal.SystemID   `yaml:"system"`       // the AI system's id in the register; required
	Environment string            `yaml:"environment"`  // deployment.environment.name; empty: not sent
	Instance    signal.InstanceID `yaml:"instance"`     // empty: made once and kept in the state folder; windows are numbered under it, so never reuse one without its state
	State       string            `yaml:"state"`        // folder for the instance id, window sequences and export spool
	Listen      string            `yaml:"listen"`       // inference port; may face the network, as the model server's did
	Upstream    string            `yaml:"upstream"`     // the model server
	UpstreamTLS UpstreamTLS       `yaml:"upstream_tls"` // of an https upstream
	Admin       Admin             `yaml:"admin"`        // health, readiness, /metrics
	Metrics     Metrics           `yaml:"metrics"`      // who may read /metrics
	Tap         Tap               `yaml:"tap"`          // how much of the traffic is kept for decoding
	Models      []Model           `yaml:"models"`       // what is monitored; required
	Sample      Sampling          `yaml:"sample"`       // what profiling may cost
	Window      Window            `yaml:"window"`       // when a profile closes and how groups are judged
	Export      Export            `yaml:"export"`       // where the signals go
	Heartbeat   config.Duration   `yaml:"heartbeat"`    // sent also when no request comes
	Lineage     Lineage           `yaml:"lineage"`      // how often the service declares itself
	StopTimeout config.Duration   `yaml:"stop_timeout"` // bound on stopping; what is unsent by then stays in the spool
	Reload      Reload            `yaml:"reload"`       // how a changed configuration is noticed
	Baselines   Baselines         `yaml:"baselines"`    // where baselines that are named by their digest come from
	Intake      Intake            `yaml:"intake"`       // payloads that others have logged
	Scrape      Scrape            `yaml:"scrape"`       // the model server's own counters
	Spans       Spans             `yaml:"spans"`        // which requests are told as spans
	Evaluations Evaluations       `yaml:"evaluations"`  // what evaluators say of answers
}

// Admin is the port for operators: /healthz, /readyz, /metrics.
type Admin struct {
	Listen    string `yaml:"listen"`
	ReadyPath string `yaml:"ready_path"` // of the model server, must answer 2xx; empty: /v2/health/ready, where only 503 is a no; none: not asked
	Pprof     bool   `yaml:"pprof"`      // serve /debug/pprof; only on loopback
}

// Metrics opens the admin port to other machines. It has no authentication, so
// it is loopback only unless AllowRemote says that this is wanted.
type Metrics struct {
	AllowRemote bool `yaml:"allow_remote"`
}

// Tap bounds what the proxy keeps in memory.
type Tap struct {
	MaxBody config.Bytes `yaml:"max_body"` // a longer request or response is proxied but not profiled
	Queue   config.Bytes `yaml:"queue"`    // bodies waiting to be decoded; what does not fit is dropped and counted
	// IdleTimeout is how long an unused connection to the model server is kept;
	// it must be shorter than the model server's own keep-alive timeout.
	IdleTimeout config.Duration `yaml:"idle_timeout"`
	// StallTimeout is how long the model server, or a client, may take nothing of
	// what is written to it. Whatever it takes begins the time anew.
	StallTimeout config.Duration `yaml:"stall_timeout"`
	ClientIdle   config.Duration `yaml:"client_idle"` // how long a client's connection is kept without a request
}

// Window says when a window closes.
type Window struct {
	Length     config.Duration `yaml:"length"`     // windows end at multiples of it since the Unix epoch
	Count      uint64          `yaml:"count"`      // rows that close a window early; 0: time alone
	MinShare   float64         `yaml:"min_share"`  // groups under this share of the rows are counted, not judged; 0: all judged
	MinCell    uint64          `yaml:"min_cell"`   // groups of fewer rows in a window are held back for a later one; 0 or 1: none is
	Confidence float64         `yaml:"confidence"` // of the simultaneous intervals over all groups
}

// Export says where signals go and how much waits on disk meanwhile.
type Export struct {
	Endpoint     string          `yaml:"endpoint"`      // OTLP/HTTP base URL; /v1/logs and /v1/metrics are appended
	TokenFile    string          `yaml:"token_file"`    // bearer token, read again for each attempt; empty: none is sent
	TLS          TLS             `yaml:"tls"`           // for https endpoints
	Timeout      config.Duration `yaml:"timeout"`       // of one attempt
	Spool        Spool           `yaml:"spool"`         // what waits for the collector
	MetricsEvery config.Duration `yaml:"metrics_every"` // period of the metric export
}

// TLS is the trust of the https endpoint.
type TLS struct {
	CAFile string `yaml:"ca_file"` // PEM; empty: the machine's certificate store
}

// Spool bounds the export spool on disk.
type Spool struct {
	Max    config.Bytes    `yaml:"max"`     // evidence may use all of it, metrics at most half; what does not fit is refused and counted
	MaxAge config.Duration `yaml:"max_age"` // what has waited longer is removed and counted; 0: nothing is
}

// Lineage says how often baselines and lineage are declared again. They are
// also declared at start and when a model's version changes.
type Lineage struct {
	Every config.Duration `yaml:"every"`
}

// Load reads the file over the defaults, resolves its paths and validates it.
// Relative paths are relative to the file's folder, and ~/ is the home folder.
func Load(path string) (*Config, error) {
	c := Default()
	c.File = path
	if err := config.Load(path, c); err != nil {
		return nil, err
	}
	if err := c.resolve(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.Validate(path); err != nil {
		return nil, err
	}
	return c, nil
}

// resolve makes every path of the file absolute or relative to the working
// folder.
func (c *Config) resolve(folder string) error {
	paths := []*string{&c.State, &c.Export.TokenFile, &c.Export.TLS.CAFile, &c.Baselines.TokenFile, &c.Baselines.TLS.CAFile}
	paths = append(paths, c.UpstreamTLS.paths()...)
	for i := range c.Models {
		paths = append(paths, c.Models[i].privacyPaths()...)
		paths = append(paths, c.Models[i].lineagePaths()...)
		paths = append(paths, &c.Models[i].Probe.Cases)
		if _, byDigest := c.Models[i].BaselineDigest(); !byDigest {
			paths = append(paths, &c.Models[i].Baseline)
		}
	}
	return config.Resolve(folder, paths...)
}
