package agent

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// monitored is a configured model with its baseline.
type monitored struct {
	agentconfig.Model
	baseline *signal.Baseline // nil: none
}

// Check loads what the configuration names and reports every way in which it
// does not fit, one a line, each with its path.
func Check(c *agentconfig.Config) error {
	if err := c.Validate(c.File); err != nil {
		return err
	}
	_, err := loadModels(c)
	return err
}

// loadModels reads the baselines and checks that they fit their models.
func loadModels(c *agentconfig.Config) ([]monitored, error) {
	faults := config.NewFaults(c.File)
	out := make([]monitored, len(c.Models))
	for i, m := range c.Models {
		out[i].Model = m
		if m.Baseline == "" {
			continue
		}
		at := faults.At("models").Index(i)
		b, err := loadBaseline(m.Baseline)
		if err != nil {
			at.At("baseline").Add("%v", err)
			continue
		}
		out[i].baseline = b
		out[i].fits(at)
	}
	return out, faults.Err()
}

func loadBaseline(path string) (*signal.Baseline, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; make it with evenkeel baseline build, or leave baseline empty", err)
	}
	b, err := signal.ParseBaseline(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// fits reports where the configuration and the baseline are about different
// things: windows would be counted, and never say anything.
func (m *monitored) fits(f *config.Faults) {
	b := m.baseline
	if b.Model.Name != "" && b.Model.Name != m.Name {
		f.At("baseline").Add("%s is of model %q, this one is %q; build one for it", m.Baseline, b.Model.Name, m.Name)
	}
	if out := m.Outcome.Output; out != "" {
		prediction := b.Feature(signal.TargetPrediction, out)
		if prediction == nil {
			f.At("outcome").At("output").Add("%q is no prediction of the baseline, which has %s", out, columns(b, signal.TargetPrediction))
		} else {
			m.favourableFits(f.At("outcome").At("favourable"), prediction)
		}
	}
	for i, p := range m.Protected {
		m.protectedFits(f.At("protected").Index(i), p)
	}
}

func (m *monitored) protectedFits(f *config.Faults, p agentconfig.Protected) {
	group := m.baseline.Group(p.Attribute)
	if group == nil {
		if m.baseline.Feature(signal.TargetFeature, p.Attribute) == nil {
			f.At("attribute").Add("%q is neither a group nor a feature of the baseline, which has %s", p.Attribute, columns(m.baseline, signal.TargetFeature))
		}
		return
	}
	var known []string
	for _, g := range group.Counts {
		known = append(known, g.Group)
	}
	if p.Reference != "" && len(known) > 0 && !slices.Contains(known, p.Reference) {
		f.At("reference").Add("%q is no group of %s in the baseline, which has %s", p.Reference, p.Attribute, strings.Join(known, ", "))
	}
}

// favourableFits reports favourable values that the baseline never saw: with
// none of them an outcome would be unfavourable for ever.
func (m *monitored) favourableFits(f *config.Faults, prediction *signal.FeatureBaseline) {
	values := m.Outcome.Favourable.Values
	if prediction.Kind != signal.Categorical || len(values) == 0 {
		return
	}
	for _, v := range values {
		if slices.ContainsFunc(prediction.Categories, func(c string) bool { return sameValue(v, c) }) {
			return
		}
	}
	f.At("values").Add("none of %s is a value of %s in the baseline, which has %s",
		strings.Join(values, ", "), prediction.Name, strings.Join(prediction.Categories, ", "))
}

// sameValue compares numbers by value and all else as text.
func sameValue(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return a == b || errX == nil && errY == nil && x == y
}

// columns lists a target's columns, for people.
func columns(b *signal.Baseline, t signal.Target) string {
	var names []string
	for _, f := range b.Features {
		if f.Target == t {
			names = append(names, string(f.Name))
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
