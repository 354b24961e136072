package config

import (
	"math"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// Probe lets the agent ask the model server known cases on a schedule. It asks
// none where no file is named.
type Probe struct {
	Cases     string            `yaml:"cases"`     // file of JSON lines: a request or rows, and what is expected
	Every     config.Duration   `yaml:"every"`     // from the start of one round to the next; 0: 15m
	Timeout   config.Duration   `yaml:"timeout"`   // of one case; 0: 10s
	Tolerance float64           `yaml:"tolerance"` // how far a number may be from the expected one, as a share of it beyond 1; 0: 1e-9
	Path      string            `yaml:"path"`      // where the model is asked; empty: the protocol's URL
	Headers   map[string]string `yaml:"headers"`   // sent with each case
}

// What Probe leaves at 0.
const (
	defaultProbeEvery     = 15 * time.Minute
	defaultProbeTimeout   = 10 * time.Second
	defaultProbeTolerance = 1e-9
)

// Wanted says whether there are cases to ask.
func (p Probe) Wanted() bool { return p.Cases != "" }

// WithDefaults fills in what is 0.
func (p Probe) WithDefaults() Probe {
	if p.Every == 0 {
		p.Every = config.Duration(defaultProbeEvery)
	}
	if p.Timeout == 0 {
		p.Timeout = config.Duration(defaultProbeTimeout)
	}
	if p.Tolerance == 0 {
		p.Tolerance = defaultProbeTolerance
	}
	return p
}

// ProbePath is where the cases of a model are asked: what the configuration says,
// else the model's own path or its protocol's. Empty: nothing tells it.
func (m *Model) ProbePath() string {
	name := url.PathEscape(m.Name)
	switch {
	case m.Probe.Path != "":
		return m.Probe.Path
	case m.Path != "":
		if strings.ContainsAny(m.Path, "*{") {
			return ""
		}
		return m.Path
	case m.Protocol == "" || m.Protocol == "oip":
		return "/v2/models/" + name + "/infer"
	case m.Protocol == "kserve_v1" || m.Protocol == "tfserving":
		return "/v1/models/" + name + ":predict"
	case m.Protocol == "mlflow" || m.Protocol == "sagemaker":
		return "/invocations"
	case m.Protocol == "torchserve":
		return "/predictions/" + name
	}
	return ""
}

func (m *Model) validateProbe(f *config.Faults) {
	p := &m.Probe
	if !p.Wanted() {
		if p.Every != 0 || p.Timeout != 0 || p.Tolerance != 0 || p.Path != "" || len(p.Headers) > 0 {
			f.At("cases").Add("missing; name the file of the cases that are asked")
		}
		return
	}
	if p.Every < 0 {
		f.At("every").Add("must not be negative; write for example 15m")
	}
	if p.Timeout < 0 {
		f.At("timeout").Add("must not be negative; write for example 10s")
	}
	if !(p.Tolerance >= 0) || math.IsInf(p.Tolerance, 0) {
		f.At("tolerance").Add("%v is no distance; write for example 0.001", p.Tolerance)
	}
	switch {
	case slices.Contains([]string{"oip_grpc", "tfserving_grpc"}, m.Protocol):
		f.Add("cases are asked over HTTP, and protocol %s is gRPC; monitor the server's HTTP port as well, or leave them out", m.Protocol)
	case m.ProbePath() == "":
		f.At("path").Add("missing; nothing tells where protocol %s is asked: write for example /predict", m.Protocol)
	case !isPath(m.ProbePath()):
		f.At("path").Add("%q is not a path; write for example /v2/models/NAME/infer", p.Path)
	}
	for name := range p.Headers {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Evenkeel-Probe", "X-Request-Id", "Ce-Id", "Accept-Encoding", "Host":
			f.At("headers").Add("%q is the agent's own", name)
		}
		if name == "" || strings.ContainsAny(name, " \t\r\n:") {
			f.At("headers").Add("%q is no header's name; write for example Authorization", name)
		}
	}
}

func isPath(path string) bool {
	_, err := url.PathUnescape(path)
	return err == nil && strings.HasPrefix(path, "/") && !strings.ContainsAny(path, "?#")
}
