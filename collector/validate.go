package collector

import (
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/listen"
)

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	pluginName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	hexDigest  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Validate reports every fault with its path; name stands for the file.
func (c *Config) Validate(name string) error {
	f := config.NewFaults(name)
	if c.Data == "" {
		f.At("data").Add("empty; name a folder that this user may write")
	}
	c.validateClickHouse(f.At("clickhouse"))
	c.validateListeners(f)
	c.validateBounds(f)
	c.validateRetention(f.At("retention"))
	c.Query.validate(f.At("query"))
	c.Evaluate.validate(f.At("evaluate"))
	c.validateSystems(f.At("systems"))
	c.validatePlugins(f.At("plugins"))
	mustExist(f.At("engine").At("library"), c.Engine.Library)
	for i, path := range c.Rules.Files {
		mustExist(f.At("rules").At("files").Index(i), path)
	}
	mustExist(f.At("rules").At("overrides"), c.Rules.Overrides)
	return f.Err()
}

func (c *Config) validateClickHouse(f *config.Faults) {
	validateServers(f.At("addr"), c.ClickHouse.Addr)
	if !identifier.MatchString(c.ClickHouse.Database) {
		f.At("database").Add("%q is not a name of letters, digits and underscores", c.ClickHouse.Database)
	}
	mustExist(f.At("password_file"), c.ClickHouse.PasswordFile)
	mustExist(f.At("tls").At("ca_file"), c.ClickHouse.TLS.CAFile)
	mustBePositive(f.At("timeout"), c.ClickHouse.Timeout)
}

// validateServers checks one or more addresses, separated by commas, which all
// speak the same protocol.
func validateServers(f *config.Faults, addrs string) {
	if addrs == "" {
		return
	}
	protocols := map[string]bool{}
	for _, addr := range strings.Split(addrs, ",") {
		protocol, host, found := strings.Cut(addr, "://")
		if !found {
			protocol, host = "native", addr
		}
		protocols[protocol] = true
		known := !found || protocol == "http" || protocol == "https"
		if _, _, err := net.SplitHostPort(host); err != nil || !known {
			f.Add("%q is not host:port, http://host:port or https://host:port", addr)
		}
	}
	if len(protocols) > 1 {
		f.Add("%q mixes protocols; all servers are asked by the same one", addrs)
	}
}

func (c *Config) validateListeners(f *config.Faults) {
	mustExist(f.At("auth").At("token_file"), c.Auth.TokenFile)
	mustExist(f.At("auth").At("api_token_file"), c.Auth.APITokenFile)
	if c.Auth.APITokenFile != "" && c.Auth.TokenFile == "" {
		f.At("auth").Add("api_token_file without token_file: anybody could send what is judged")
	}
	mustExist(f.At("tls").At("cert_file"), c.TLS.CertFile)
	mustExist(f.At("tls").At("key_file"), c.TLS.KeyFile)
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		f.At("tls").Add("cert_file and key_file go together")
	}
	secured := c.Auth.TokenFile != "" && c.TLS.CertFile != ""
	for _, l := range []struct {
		path *config.Faults
		addr string
	}{
		{f.At("otlp").At("grpc").At("listen"), c.OTLP.GRPC.Listen},
		{f.At("otlp").At("http").At("listen"), c.OTLP.HTTP.Listen},
		{f.At("api").At("listen"), c.API.Listen},
	} {
		if err := listen.Check(l.addr, secured); err != nil {
			l.path.Add("%v", err)
		}
	}
}

func (c *Config) validateBounds(f *config.Faults) {
	if c.OTLP.MaxRequest < 1<<10 {
		f.At("otlp").At("max_request").Add("%s is too small; at least 1KiB", c.OTLP.MaxRequest)
	}
	c.OTLP.validate(f.At("otlp"))
	if c.Spool.Segment < 1<<16 {
		f.At("spool").At("segment").Add("%s is too small; at least 64KiB", c.Spool.Segment)
	}
	if c.Spool.Max < 2*c.Spool.Segment {
		f.At("spool").At("max").Add("%s holds less than two segments of %s", c.Spool.Max, c.Spool.Segment)
	}
	if c.Drain.MaxRecords < 1 {
		f.At("drain").At("max_records").Add("must be at least 1")
	}
	if c.Drain.MaxBytes < 1<<10 {
		f.At("drain").At("max_bytes").Add("%s is too small; at least 1KiB", c.Drain.MaxBytes)
	}
	mustBePositive(f.At("drain").At("every"), c.Drain.Every)
	if c.Drain.Parallel < 1 {
		f.At("drain").At("parallel").Add("must be at least 1")
	}
	mustBePositive(f.At("fleet").At("grace"), c.Fleet.Grace)
	mustBePositive(f.At("fleet").At("start_grace"), c.Fleet.StartGrace)
	mustBePositive(f.At("labels").At("horizon"), c.Labels.Horizon)
	if c.Labels.Late < 0 {
		f.At("labels").At("late").Add("%s; 0 to revise nothing, or longer", c.Labels.Late)
	}
	mustBePositive(f.At("stop_timeout"), c.StopTimeout)
}

func (o *OTLP) validate(f *config.Faults) {
	if o.MaxInflight < o.MaxRequest {
		f.At("max_inflight").Add("%s is less than one request of max_request, %s", o.MaxInflight, o.MaxRequest)
	}
	if o.MaxAge < 0 {
		f.At("max_age").Add("%s; must be longer than nothing, or 0 for no bound", o.MaxAge)
	}
	mustBePositive(f.At("max_ahead"), o.MaxAhead)
	if o.MaxAhead > config.Duration(model.ClockSlack) {
		f.At("max_ahead").Add("%s is further than queries look; at most %s", o.MaxAhead, model.ClockSlack)
	}
	if o.Series.PerSource < 0 {
		f.At("series").At("per_source").Add("must be positive, or 0 for no bound")
	}
	if o.Series.Total < 0 {
		f.At("series").At("total").Add("must be positive, or 0 for no bound")
	}
	mustBePositive(f.At("series").At("idle"), o.Series.Idle)
}

func (c *Config) validateSystems(f *config.Faults) {
	seen := map[string]bool{}
	for i, s := range c.Systems {
		switch {
		case s.ID == "":
			f.Index(i).At("id").Add("empty; name the system as its agents do")
		case seen[s.ID]:
			f.Index(i).At("id").Add("%q is declared twice", s.ID)
		}
		seen[s.ID] = true
		if s.Labels.Horizon < 0 {
			f.Index(i).At("labels").At("horizon").Add("%s; must be longer than nothing, or left out", s.Labels.Horizon)
		}
	}
}

func (c *Config) validatePlugins(f *config.Faults) {
	seen := map[string]bool{}
	for i, p := range c.Plugins {
		at := f.Index(i)
		if !pluginName.MatchString(p.Name) {
			at.At("name").Add("%q is not a name of lower-case letters, digits and dashes", p.Name)
		}
		if seen[p.Name] {
			at.At("name").Add("%q is there twice", p.Name)
		}
		seen[p.Name] = true
		if p.Path != "" && !hexDigest.MatchString(p.SHA256) {
			at.At("sha256").Add("a plugin from outside needs its SHA-256 digest, 64 hexadecimal digits")
		}
		mustExist(at.At("path"), p.Path)
	}
}

func mustExist(f *config.Faults, path string) {
	if path == "" {
		return
	}
	if _, err := os.Stat(path); err != nil {
		f.Add("%v", err)
	}
}

func mustBePositive(f *config.Faults, d config.Duration) {
	if d <= 0 {
		f.Add("%s; must be longer than nothing", d)
	}
}
