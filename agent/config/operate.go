package config

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Reload says how a changed configuration is noticed. SIGHUP always reloads.
type Reload struct {
	// Watch is how often the file and the files that it names are looked at; they
	// are read again when they have changed and then stood still for as long. 0:
	// only on SIGHUP.
	Watch config.Duration `yaml:"watch"`
}

// Baselines says where a baseline that a model names by its digest is fetched:
// GET endpoint/api/v1/baselines/DIGEST. It is kept in the state folder.
type Baselines struct {
	Endpoint  string          `yaml:"endpoint"`   // the collector's API; empty: none
	TokenFile string          `yaml:"token_file"` // bearer token, read again for each attempt; empty: none is sent
	TLS       TLS             `yaml:"tls"`        // for https endpoints
	Every     config.Duration `yaml:"every"`      // wait between attempts, and the bound of one
	MaxBody   config.Bytes    `yaml:"max_body"`   // a longer baseline is refused
}

// Learn lets the agent make a baseline of the first rows that it sees, of a model
// that has none. Limits that are set must all be reached; both 0: it learns none.
type Learn struct {
	Rows      uint64          `yaml:"rows"`       // rows to learn from
	For       config.Duration `yaml:"for"`        // time to learn for, from the first row on
	MaxMemory config.Bytes    `yaml:"max_memory"` // raw values that are kept meanwhile; 0: 64MiB. Learning ends when it is reached
}

// defaultLearnMemory bounds learning where nothing else does.
const defaultLearnMemory = 64 << 20

// Wanted says whether a baseline is to be learnt.
func (l Learn) Wanted() bool { return l.Rows > 0 || l.For > 0 }

// Memory is MaxMemory with its default, in bytes.
func (l Learn) Memory() int64 {
	if l.MaxMemory == 0 {
		return defaultLearnMemory
	}
	return int64(l.MaxMemory)
}

// BaselineDigest gives the digest where the baseline is named by one.
func (m *Model) BaselineDigest() (signal.Digest, bool) {
	const prefix, digits = "sha256:", 64
	hex, ok := strings.CutPrefix(m.Baseline, prefix)
	if !ok || len(hex) != digits || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", false
	}
	return signal.Digest(m.Baseline), true
}

// Scrape says whose Prometheus metrics are read and told on.
type Scrape struct {
	Every   config.Duration `yaml:"every"`
	Timeout config.Duration `yaml:"timeout"`  // of one scrape
	MaxBody config.Bytes    `yaml:"max_body"` // a longer answer is refused
	Servers []ScrapeServer  `yaml:"servers"`
}

// ScrapeServer is one page of Prometheus metrics. Names that are given take the
// place of the preset's.
type ScrapeServer struct {
	URL        string   `yaml:"url"`
	Preset     string   `yaml:"preset"`      // vllm, triton or dcgm; empty: only what is named here
	Model      string   `yaml:"model"`       // whose series without a model label are; empty: of every configured model
	ModelLabel string   `yaml:"model_label"` // the label that holds the model's name
	Requests   []string `yaml:"requests"`    // counters of requests, added up
	Saturation []string `yaml:"saturation"`  // gauges from 0 to 1; those that end in _UTIL or _percent: to 100. The highest counts
	Waiting    string   `yaml:"waiting"`     // gauge of requests that wait
	Running    string   `yaml:"running"`     // gauge of requests that run: waiting / (waiting + running) is a saturation
	MaxWaiting float64  `yaml:"max_waiting"` // waiting requests that mean saturation 1; 0: waiting alone tells nothing
}

// Presets of ScrapeServer.Preset.
const (
	PresetVLLM   = "vllm"
	PresetTriton = "triton"
	PresetDCGM   = "dcgm"
)
