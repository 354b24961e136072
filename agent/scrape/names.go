package scrape

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/evenkeel/evenkeel/agent/config"
)

// names are what a server calls what is read of it.
type names struct{ config.ScrapeServer }

// presets are the names of well-known servers. A name that a version of the
// server does not have is left out; one that no version has is a failure.
var presets = map[string]config.ScrapeServer{
	config.PresetVLLM: {
		ModelLabel: "model_name",
		Requests:   []string{"vllm:request_success_total", "vllm:request_success"},
		Saturation: []string{"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"},
		Waiting:    "vllm:num_requests_waiting",
		Running:    "vllm:num_requests_running",
	},
	config.PresetTriton: {
		ModelLabel: "model",
		Requests:   []string{"nv_inference_request_success", "nv_inference_request_failure"},
		Saturation: []string{"nv_gpu_utilization"},
		Waiting:    "nv_inference_pending_request_count",
	},
	config.PresetDCGM: {
		Saturation: []string{"DCGM_FI_DEV_GPU_UTIL"},
	},
}

// namesOf puts what is configured over the preset.
func namesOf(c config.ScrapeServer) names {
	p := presets[c.Preset]
	c.ModelLabel = cmp.Or(c.ModelLabel, p.ModelLabel)
	c.Waiting = cmp.Or(c.Waiting, p.Waiting)
	c.Running = cmp.Or(c.Running, p.Running)
	if len(c.Requests) == 0 {
		c.Requests = p.Requests
	}
	if len(c.Saturation) == 0 {
		c.Saturation = p.Saturation
	}
	return names{c}
}

// errNothing is a page that holds none of the names.
var errNothing = errors.New("none of the names that are read is on the page; see whether preset and url fit each other")

// collection gathers a page's values by model.
type collection struct {
	n      names
	models []string
	by     map[string]*gathered
}

type gathered struct {
	Reading
	waiting, running float64
	hasWaiting       bool
}

// find finds the named values of a page. Models that are not configured
// are left out.
func (n names) find(page families, models []string) ([]Reading, error) {
	c := &collection{n: n, models: models, by: map[string]*gathered{}}
	found := false
	each := func(name string, take func(g *gathered, x float64)) {
		family := page[name]
		if name == "" || family == nil {
			return
		}
		found = true
		for _, m := range family.Metric {
			if x, ok := valueOf(m); ok {
				for _, model := range c.modelsOf(m) {
					take(c.of(model), x)
				}
			}
		}
	}
	for _, name := range n.Requests {
		each(name, func(g *gathered, x float64) { g.Requests, g.HasRequests = g.Requests+x, true })
	}
	for _, name := range n.Saturation {
		each(name, func(g *gathered, x float64) { g.saturated(x / scale(name)) })
	}
	each(n.Waiting, func(g *gathered, x float64) { g.waiting, g.hasWaiting = g.waiting+x, true })
	each(n.Running, func(g *gathered, x float64) { g.running += x })
	if !found {
		return nil, errNothing
	}
	var out []Reading
	for _, model := range slices.Sorted(maps.Keys(c.by)) {
		g := c.by[model]
		g.queue(n)
		out = append(out, g.Reading)
	}
	return out, nil
}

// queue makes a saturation of the requests that wait.
func (g *gathered) queue(n names) {
	switch {
	case !g.hasWaiting:
	case n.MaxWaiting > 0:
		g.saturated(g.waiting / n.MaxWaiting)
	case n.Running != "" && g.waiting+g.running > 0:
		g.saturated(g.waiting / (g.waiting + g.running))
	case n.Running != "":
		g.saturated(0)
	}
}

func (g *gathered) saturated(x float64) {
	g.Saturation = max(g.Saturation, min(max(x, 0), 1))
	g.HasSaturation = true
}

// scale is what a gauge has where the server is full.
func scale(name string) float64 {
	if strings.HasSuffix(name, "_UTIL") || strings.HasSuffix(name, "_percent") {
		return 100
	}
	return 1
}

// modelsOf gives the configured models that a series is about.
func (c *collection) modelsOf(m *dto.Metric) []string {
	for _, l := range m.Label {
		if c.n.ModelLabel != "" && l.GetName() == c.n.ModelLabel {
			switch {
			case slices.Contains(c.models, l.GetValue()):
				return []string{l.GetValue()}
			case c.n.Model != "": // the server's name for the one model
				return []string{c.n.Model}
			}
			return nil
		}
	}
	if c.n.Model != "" {
		return []string{c.n.Model}
	}
	return c.models
}

func (c *collection) of(model string) *gathered {
	g := c.by[model]
	if g == nil {
		g = &gathered{Reading: Reading{Model: model}}
		c.by[model] = g
	}
	return g
}

// valueOf gives the value of a counter or gauge; false where it is none.
func valueOf(m *dto.Metric) (float64, bool) {
	x := math.NaN()
	switch {
	case m.Counter != nil:
		x = m.Counter.GetValue()
	case m.Gauge != nil:
		x = m.Gauge.GetValue()
	case m.Untyped != nil:
		x = m.Untyped.GetValue()
	}
	return x, !math.IsNaN(x) && !math.IsInf(x, 0)
}
