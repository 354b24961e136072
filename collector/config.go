package collector

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/collector/ingest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Config is the collector's configuration file.
type Config struct {
	Data        string          `yaml:"data"` // folder of the spool and the embedded engine
	ClickHouse  ClickHouse      `yaml:"clickhouse"`
	Engine      Engine          `yaml:"engine"`
	OTLP        OTLP            `yaml:"otlp"`
	API         Listener        `yaml:"api"`
	Auth        Auth            `yaml:"auth"`
	TLS         TLS             `yaml:"tls"`
	Spool       Spool           `yaml:"spool"`
	Drain       Drain           `yaml:"drain"`
	Fleet       Fleet           `yaml:"fleet"`
	Labels      AllLabels       `yaml:"labels"`
	Retention   Retention       `yaml:"retention"`
	Query       Query           `yaml:"query"`
	Evaluate    Evaluate        `yaml:"evaluate"`
	Rules       Rules           `yaml:"rules"`
	Systems     []System        `yaml:"systems"`
	Plugins     []Plugin        `yaml:"plugins"`
	StopTimeout config.Duration `yaml:"stop_timeout"` // how long stopping may drain
}

// ClickHouse says which server to use. No address: the embedded engine.
type ClickHouse struct {
	Addr         string          `yaml:"addr"`     // host:port of the native protocol, or http(s)://host:port; several, separated by commas, are tried in order
	Database     string          `yaml:"database"` // made if it is not there
	User         string          `yaml:"user"`
	PasswordFile string          `yaml:"password_file"`
	TLS          ClientTLS       `yaml:"tls"`
	Timeout      config.Duration `yaml:"timeout"` // of one statement
}

// ClientTLS is how the collector checks a server.
type ClientTLS struct {
	Enabled bool   `yaml:"enabled"`
	CAFile  string `yaml:"ca_file"` // empty: the system's authorities
}

// Engine is the embedded ClickHouse.
type Engine struct {
	Library string `yaml:"library"` // libchdb.so; empty: where make setup put it
}

// OTLP is what agents and other senders speak to.
type OTLP struct {
	GRPC       Listener     `yaml:"grpc"`
	HTTP       Listener     `yaml:"http"`
	MaxRequest config.Bytes `yaml:"max_request"` // before and after decompression

	MaxInflight config.Bytes    `yaml:"max_inflight"` // of all requests that are read, decoded or written
	MaxAge      config.Duration `yaml:"max_age"`      // of an item when it comes; 0: no bound
	MaxAhead    config.Duration `yaml:"max_ahead"`    // of our clock
	Series      SeriesBudget    `yaml:"series"`
}

// SeriesBudget bounds the time series that senders may make.
type SeriesBudget struct {
	PerSource int             `yaml:"per_source"` // 0: no bound
	Total     int             `yaml:"total"`      // 0: no bound
	Idle      config.Duration `yaml:"idle"`       // after which a series no longer counts
}

// Listener is an address to listen on, host:port; port 0 lets the system choose.
type Listener struct {
	Listen string `yaml:"listen"`
}

// Auth names files of bearer tokens, one on a line. No token file: nobody is
// asked, and nothing listens beyond loopback.
type Auth struct {
	TokenFile    string `yaml:"token_file"`     // who may send OTLP
	APITokenFile string `yaml:"api_token_file"` // who may read, acknowledge and approve; empty: the same as send
}

// TLS is the collector's own certificate, for all its listeners.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Spool bounds what waits for the store.
type Spool struct {
	Max     config.Bytes `yaml:"max"`     // full: senders are refused, retryably
	Segment config.Bytes `yaml:"segment"` // one file's size
}

// Drain bounds one batch.
type Drain struct {
	MaxRecords int             `yaml:"max_records"`
	MaxBytes   config.Bytes    `yaml:"max_bytes"`
	Every      config.Duration `yaml:"every"`    // at least so often, however little waits
	Parallel   int             `yaml:"parallel"` // batches at the same time
}

// Fleet says how long a window waits for replicas that are late.
type Fleet struct {
	Grace      config.Duration `yaml:"grace"`
	StartGrace config.Duration `yaml:"start_grace"` // after a restart, also for heartbeats that are late
}

// Labels says how long predictions wait for how they turn out.
type Labels struct {
	Horizon config.Duration `yaml:"horizon"` // from the end of their window
}

// Rules says what is judged.
type Rules struct {
	Packs     []string `yaml:"packs"`     // shipped packs by name; empty: all
	Files     []string `yaml:"files"`     // rule files of one's own
	Overrides string   `yaml:"overrides"` // file of changes per system
}

// System declares an AI system that must be heard of.
type System struct {
	ID     string `yaml:"id"`
	Owner  string `yaml:"owner"`
	Labels Labels `yaml:"labels"` // 0: as all others
}

// Plugin is a child process that records are handed to.
type Plugin struct {
	Name   string         `yaml:"name"`
	Path   string         `yaml:"path"`   // empty: evenkeel-plugin-NAME in plugins/ beside the collector
	SHA256 string         `yaml:"sha256"` // must be set where path is
	Config map[string]any `yaml:"config"` // as the plugin documents it
}

// Default gives the configuration that an empty file stands for.
func Default() Config {
	return Config{
		Data:        defaultData(),
		ClickHouse:  ClickHouse{Database: "evenkeel", Timeout: config.Duration(30 * time.Second)},
		OTLP:        defaultOTLP(),
		API:         Listener{"127.0.0.1:42001"},
		Spool:       Spool{Max: 1 << 30, Segment: 64 << 20},
		Drain:       Drain{MaxRecords: 1000, MaxBytes: 8 << 20, Every: config.Duration(200 * time.Millisecond), Parallel: 2},
		Fleet:       Fleet{Grace: config.Duration(5 * time.Second), StartGrace: config.Duration(90 * time.Second)},
		Labels:      defaultLabels(),
		Retention:   defaultRetention(),
		Query:       defaultQuery(),
		Evaluate:    defaultEvaluate(),
		StopTimeout: config.Duration(5 * time.Second),
	}
}

// defaultOTLP has its numbers from ingest.
func defaultOTLP() OTLP {
	o := ingest.DefaultServerOptions()
	return OTLP{
		GRPC: Listener{o.GRPC}, HTTP: Listener{o.HTTP},
		MaxRequest: config.Bytes(o.MaxRequest), MaxInflight: config.Bytes(o.MaxInflight),
		MaxAge: config.Duration(o.Limits.MaxAge), MaxAhead: config.Duration(o.Limits.MaxAhead),
		Series: SeriesBudget{o.Limits.Series.PerSource, o.Limits.Series.Total, config.Duration(o.Limits.Series.Idle)},
	}
}

// horizon is how long a system's predictions wait for labels.
func (c *Config) horizon(system signal.SystemID) time.Duration {
	for _, s := range c.Systems {
		if signal.SystemID(s.ID) == system && s.Labels.Horizon > 0 {
			return s.Labels.Horizon.Std()
		}
	}
	return c.Labels.Horizon.Std()
}

// defaultData follows the XDG base directories.
func defaultData() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "evenkeel")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "" // Validate asks for it
	}
	return filepath.Join(home, ".local", "share", "evenkeel")
}

// paths are the settings that name files and folders.
func (c *Config) paths() []*string {
	paths := []*string{
		&c.Data, &c.ClickHouse.PasswordFile, &c.ClickHouse.TLS.CAFile, &c.Engine.Library,
		&c.Auth.TokenFile, &c.Auth.APITokenFile, &c.TLS.CertFile, &c.TLS.KeyFile, &c.Rules.Overrides,
	}
	for i := range c.Rules.Files {
		paths = append(paths, &c.Rules.Files[i])
	}
	for i := range c.Plugins {
		paths = append(paths, &c.Plugins[i].Path)
	}
	return paths
}

// LoadConfig reads and validates a file; an empty path gives the defaults.
// Relative paths are relative to the file's folder, and ~/ is the home folder.
func LoadConfig(path string) (Config, error) {
	c := Default()
	if path == "" {
		return c, c.Validate("collector configuration")
	}
	if err := config.Load(path, &c); err != nil {
		return c, err
	}
	if err := config.Resolve(filepath.Dir(path), c.paths()...); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, c.Validate(path)
}
