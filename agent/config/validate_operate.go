package config

import (
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
)

// validateOperation checks what is about running the agent rather than about
// what it measures.
func (c *Config) validateOperation(f *config.Faults) {
	if c.Reload.Watch < 0 {
		f.At("reload").At("watch").Add("must not be below 0; 0 reloads on SIGHUP only")
	}
	admin := f.At("admin")
	if p := c.Admin.ReadyPath; p != "" && p != NoReadyPath && !strings.HasPrefix(p, "/") {
		admin.At("ready_path").Add("%q is not a path; write for example /v2/health/ready, or none", p)
	}
	if c.Admin.Pprof && !isLoopback(c.Admin.Listen) {
		admin.At("pprof").Add("profiles show what is in memory, and %s faces the network; listen on 127.0.0.1 or leave it out", c.Admin.Listen)
	}
	c.validateBaselines(f)
	c.Scrape.validate(f.At("scrape"), c.Models)
}

// NoReadyPath as Admin.ReadyPath: the model server is not asked.
const NoReadyPath = "none"

func (c *Config) validateBaselines(f *config.Faults) {
	b, at := &c.Baselines, f.At("baselines")
	positive(at.At("every"), b.Every)
	if b.MaxBody <= 0 {
		at.At("max_body").Add("must be above 0; write for example 16MiB")
	}
	if b.Endpoint != "" {
		httpURL(at.At("endpoint"), b.Endpoint)
	}
	if b.TLS.CAFile != "" && !strings.HasPrefix(b.Endpoint, "https:") {
		at.At("tls").At("ca_file").Add("has no effect on %q; use an https endpoint", b.Endpoint)
	}
	for i := range c.Models {
		m, at := &c.Models[i], f.At("models").Index(i).At("baseline")
		switch _, byDigest := m.BaselineDigest(); {
		case byDigest && b.Endpoint == "":
			at.Add("a digest is fetched from the collector; set baselines.endpoint, for example http://127.0.0.1:42001")
		case !byDigest && strings.HasPrefix(m.Baseline, "sha256:"):
			at.Add("%q is not a digest; it is sha256: and 64 hexadecimal digits", m.Baseline)
		}
	}
}

func (m *Model) validateLearn(f *config.Faults) {
	at := f.At("learn")
	if m.Learn.For < 0 {
		at.At("for").Add("must not be below 0; leave it out to count rows alone")
	}
	if m.Learn.MaxMemory < 0 {
		at.At("max_memory").Add("must not be below 0; leave it out for 64MiB")
	}
	if m.Learn.Wanted() && m.Baseline != "" {
		at.Add("there is a baseline, so none is learnt; keep one of the two")
	}
	if m.Learn.Rows > 0 && m.Learn.Rows < minLearnRows {
		at.At("rows").Add("%d rows tell too little; give at least %d", m.Learn.Rows, minLearnRows)
	}
}

// minLearnRows keeps a baseline from being a handful of requests.
const minLearnRows = 100

func (s *Scrape) validate(f *config.Faults, models []Model) {
	positive(f.At("every"), s.Every)
	positive(f.At("timeout"), s.Timeout)
	if s.MaxBody <= 0 {
		f.At("max_body").Add("must be above 0; write for example 8MiB")
	}
	for i := range s.Servers {
		s.Servers[i].validate(f.At("servers").Index(i), models)
	}
}

func (s *ScrapeServer) validate(f *config.Faults, models []Model) {
	httpURL(f.At("url"), s.URL)
	presets := []string{"", PresetVLLM, PresetTriton, PresetDCGM}
	if !slices.Contains(presets, s.Preset) {
		f.At("preset").Add("%q is none; there are %s", s.Preset, strings.Join(presets[1:], ", "))
	}
	if s.Preset == "" && len(s.Requests) == 0 && len(s.Saturation) == 0 && s.Waiting == "" {
		f.Add("nothing is read; name a preset, requests, saturation or waiting")
	}
	if s.Model != "" && !slices.ContainsFunc(models, func(m Model) bool { return m.Name == s.Model }) {
		f.At("model").Add("%q is none of models", s.Model)
	}
	if s.Preset == "" && s.Model == "" && s.ModelLabel == "" && len(s.Requests) > 0 && len(models) > 1 {
		f.At("model").Add("missing; there are several models: name the one, or the model_label, whose requests these are")
	}
	if s.Preset == "" && s.Waiting != "" && s.Running == "" && s.MaxWaiting == 0 {
		f.At("waiting").Add("says nothing alone; set running or max_waiting")
	}
	if !(s.MaxWaiting >= 0) || math.IsInf(s.MaxWaiting, 0) {
		f.At("max_waiting").Add("must not be below 0; leave it out where the queue has no bound")
	}
}
