package config

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
)

// minSpool is the smallest export spool: it must hold several windows.
const minSpool = 1 << 20

// Validate reports every fault of the configuration, one a line, each with
// its path and its cure. name stands for the file.
func (c *Config) Validate(name string) error {
	f := config.NewFaults(name)
	if c.System == "" {
		f.At("system").Add("missing; name the AI system as the register does, for example loan-approval")
	}
	if strings.ContainsAny(string(c.Instance), "/ \t\n") {
		f.At("instance").Add("%q holds a slash or white space; leave it empty to have one made", c.Instance)
	}
	if c.State == "" {
		f.At("state").Add("missing; name a folder that survives restarts, windows are numbered in it")
	}
	if c.Listen != "" || c.Intake.Listen == "" { // without the one there is the other
		address(f.At("listen"), c.Listen)
	}
	address(f.At("admin").At("listen"), c.Admin.Listen)
	if c.Listen == c.Admin.Listen && !strings.HasSuffix(c.Listen, ":0") {
		f.At("admin").At("listen").Add("%s is the inference port as well; give it a port of its own", c.Listen)
	}
	if !c.Metrics.AllowRemote && !isLoopback(c.Admin.Listen) {
		f.At("admin").At("listen").Add("%s faces the network without authentication; listen on 127.0.0.1 or set metrics.allow_remote: true", c.Admin.Listen)
	}
	httpURL(f.At("upstream"), c.Upstream)
	c.UpstreamTLS.validate(f.At("upstream_tls"), c.Upstream)
	c.Tap.validate(f.At("tap"))
	c.validateModels(f.At("models"))
	c.Sample.validate(f.At("sample"))
	c.Window.validate(f.At("window"))
	c.Export.validate(f.At("export"))
	positive(f.At("heartbeat"), c.Heartbeat)
	positive(f.At("lineage").At("every"), c.Lineage.Every)
	positive(f.At("stop_timeout"), c.StopTimeout)
	c.validateOperation(f)
	c.validateIntake(f.At("intake"))
	c.Spans.validate(f.At("spans"))
	c.Evaluations.validate(f.At("evaluations"))
	return f.Err()
}

func (t *Tap) validate(f *config.Faults) {
	if t.MaxBody <= 0 {
		f.At("max_body").Add("must be above 0; write for example 4MiB")
	}
	positive(f.At("idle_timeout"), t.IdleTimeout)
	positive(f.At("stall_timeout"), t.StallTimeout)
	positive(f.At("client_idle"), t.ClientIdle)
	if t.Queue < t.MaxBody {
		f.At("queue").Add("%s does not hold one body of max_body %s; raise it", t.Queue, t.MaxBody)
	}
}

func (c *Config) validateModels(f *config.Faults) {
	if len(c.Models) == 0 {
		f.Add("none; name at least one model to monitor")
	}
	seen := map[string]int{}
	for i := range c.Models {
		m := &c.Models[i]
		at := f.Index(i)
		if m.Name == "" {
			at.At("name").Add("missing; write it as the URL does, for example <name> in /v2/models/<name>/infer")
		} else if first, twice := seen[m.Entry()]; twice {
			at.At("name").Add("%q is also models[%d]; one entry serves all versions, and several need a stage or a route", m.Entry(), first)
		} else {
			seen[m.Entry()] = i
		}
		m.validate(at)
	}
}

func (w *Window) validate(f *config.Faults) {
	positive(f.At("length"), w.Length)
	if !(w.MinShare >= 0 && w.MinShare < 1) {
		f.At("min_share").Add("%v is not a share from 0 to below 1", w.MinShare)
	}
	if !(w.Confidence > 0 && w.Confidence < 1) {
		f.At("confidence").Add("%v is not between 0 and 1; the usual one is 0.95", w.Confidence)
	}
}

func (e *Export) validate(f *config.Faults) {
	httpURL(f.At("endpoint"), e.Endpoint)
	positive(f.At("timeout"), e.Timeout)
	positive(f.At("metrics_every"), e.MetricsEvery)
	if e.Spool.Max < minSpool {
		f.At("spool").At("max").Add("%s is too small to be of use; give at least %s", e.Spool.Max, config.Bytes(minSpool))
	}
	if e.Spool.MaxAge < 0 {
		f.At("spool").At("max_age").Add("must not be below 0; 0 lets everything wait")
	}
	if e.TLS.CAFile != "" && !strings.HasPrefix(e.Endpoint, "https:") {
		f.At("tls").At("ca_file").Add("has no effect on %s; use an https endpoint", e.Endpoint)
	}
}

func positive(f *config.Faults, d config.Duration) {
	if d <= 0 {
		f.Add("must be above 0; write for example 15s")
	}
}

// address checks host:port. The host may be empty (all interfaces), the port 0
// (the system chooses).
func address(f *config.Faults, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		f.Add("%q is not an address; write for example 127.0.0.1:9001", addr)
	}
}

func httpURL(f *config.Faults, raw string) {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		f.Add("%q is not a plain http or https URL; write for example http://127.0.0.1:8080", raw)
	}
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return true // address has reported it
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
