package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

func TestProbeOfAModel(t *testing.T) {
	for name, c := range map[string]struct {
		model Model
		want  string // in the fault; empty: there is none
		path  string
	}{
		"none":                {Model{Name: "m"}, "", "/v2/models/m/infer"},
		"settings of nothing": {Model{Name: "m", Probe: Probe{Every: 1}}, "probe.cases: missing", "/v2/models/m/infer"},
		"the default":         {Model{Name: "a b", Probe: Probe{Cases: "c"}}, "", "/v2/models/a%20b/infer"},
		"kserve":              {Model{Name: "m", Protocol: "kserve_v1", Probe: Probe{Cases: "c"}}, "", "/v1/models/m:predict"},
		"mlflow":              {Model{Name: "m", Protocol: "mlflow", Probe: Probe{Cases: "c"}}, "", "/invocations"},
		"torchserve":          {Model{Name: "m", Protocol: "torchserve", Probe: Probe{Cases: "c"}}, "", "/predictions/m"},
		"its own path":        {Model{Name: "m", Protocol: "mapped", Path: "/loans", Probe: Probe{Cases: "c"}}, "", "/loans"},
		"a pattern":           {Model{Name: "m", Protocol: "mapped", Path: "/loans/{version}", Probe: Probe{Cases: "c"}}, "probe.path: missing", ""},
		"a pattern and where": {Model{Name: "m", Protocol: "mapped", Path: "/loans/*", Probe: Probe{Cases: "c", Path: "/loans/1"}}, "", "/loans/1"},
		"a language model":    {Model{Name: "m", Protocol: "openai", Probe: Probe{Cases: "c"}}, "probe.path: missing", ""},
		"no path":             {Model{Name: "m", Probe: Probe{Cases: "c", Path: "loans"}}, "is not a path", "loans"},
		"a query":             {Model{Name: "m", Probe: Probe{Cases: "c", Path: "/loans?a"}}, "is not a path", "/loans?a"},
		"a broken path":       {Model{Name: "m", Probe: Probe{Cases: "c", Path: "/%zz"}}, "is not a path", "/%zz"},
		"gRPC":                {Model{Name: "m", Protocol: "oip_grpc", Probe: Probe{Cases: "c"}}, "cases are asked over HTTP", ""},
		"backwards":           {Model{Name: "m", Probe: Probe{Cases: "c", Every: -1}}, "probe.every", "/v2/models/m/infer"},
		"no time":             {Model{Name: "m", Probe: Probe{Cases: "c", Timeout: -1}}, "probe.timeout", "/v2/models/m/infer"},
		"no distance":         {Model{Name: "m", Probe: Probe{Cases: "c", Tolerance: math.NaN()}}, "probe.tolerance", "/v2/models/m/infer"},
		"our header":          {Model{Name: "m", Probe: Probe{Cases: "c", Headers: map[string]string{"x-request-id": "1"}}}, "is the agent's own", "/v2/models/m/infer"},
		"no header":           {Model{Name: "m", Probe: Probe{Cases: "c", Headers: map[string]string{"a b": "1"}}}, "is no header's name", "/v2/models/m/infer"},
	} {
		f := config.NewFaults("agent.yaml")
		c.model.validateProbe(f.At("probe"))
		err := f.Err()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.model.ProbePath(); got != c.path {
			t.Errorf("%s: asked at %q, want %q", name, got, c.path)
		}
	}
	p := Probe{}.WithDefaults()
	if p.Every.Std() != 15*time.Minute || p.Timeout.Std() != 10*time.Second || p.Tolerance != 1e-9 {
		t.Errorf("%+v", p)
	}
	set := Probe{Every: 1, Timeout: 2, Tolerance: 3}
	if got := set.WithDefaults(); got.Every != 1 || got.Timeout != 2 || got.Tolerance != 3 {
		t.Errorf("%+v", got)
	}
}
