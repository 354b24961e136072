package agent

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/digest"
	"github.com/evenkeel/evenkeel/agent/probe"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// monitored is a configured model with its baseline, whose outcome it has taken
// over where the configuration says nothing.
type monitored struct {
	agentconfig.Model                  // its name is that of the entry
	asked             string           // the model's name, as requests have it
	key               string           // by which a decoder knows it
	shared            bool             // and others, whom only bodies tell apart
	baseline          *signal.Baseline // nil: none
	digest            signal.Digest    // of the baseline; empty: none
	origin            origin           // where the baseline comes from
	sampler           *sampler
	privacyParts
	lineage *digest.Sources // what stands behind the answers
	cases   *probe.Set      // known cases that the model server is asked; nil: none
}

// Check loads what the configuration names and reports every way in which it
// does not fit, one a line, each with its path.
func Check(c *agentconfig.Config) error {
	if err := c.Validate(c.File); err != nil {
		return err
	}
	_, err := loadModels(c, nil)
	return err
}

// loadModels reads the baselines and checks that they fit their models. Those
// that are no files come from kept; nil: they are taken as not there yet.
func loadModels(c *agentconfig.Config, kept *baselineKeeper) ([]monitored, error) {
	faults := config.NewFaults(c.File)
	out := make([]monitored, len(c.Models))
	for i, m := range c.Models {
		out[i].Model = m
		out[i].asked, out[i].Name = m.Name, m.Entry()
		out[i].load(kept, faults.At("models").Index(i))
		out[i].sampler = newSampler(m.Sample.Share(), out[i].PredictionShare())
		out[i].loadPrivacy(faults.At("models").Index(i))
		out[i].loadLineage(faults.At("models").Index(i))
		out[i].loadCases(faults.At("models").Index(i).At("probe").At("cases"))
	}
	checkProtocols(c.Models, faults.At("models"))
	checkEntries(out, faults.At("models"))
	entries := newSelection(out)
	for i := range out {
		out[i].key = entries.keys[out[i].Name]
		out[i].shared = entries.shared[out[i].key]
	}
	return out, faults.Err()
}

// load finds the model's baseline and takes over what it says.
func (m *monitored) load(kept *baselineKeeper, at *config.Faults) {
	b, err := m.find(kept)
	if err == nil && b != nil {
		m.digest, err = b.Digest()
	}
	if err != nil {
		at.At("baseline").Add("%v", err)
		return
	}
	if b == nil {
		m.goWithout()
		return
	}
	m.baseline = b
	m.takeOutcome(at.At("outcome"))
	m.NeedsOutcome(at)
	m.fits(at)
}

// find gives the baseline, nil where there is none yet, and says where it is from.
func (m *monitored) find(kept *baselineKeeper) (*signal.Baseline, error) {
	digest, byDigest := m.BaselineDigest()
	switch {
	case byDigest:
		b := kept.fetched(digest)
		m.origin = originCollector
		if b == nil {
			m.origin = originAwaited
		}
		return b, nil
	case m.Baseline != "":
		m.origin = originFile
		return loadBaseline(m.Baseline)
	case m.Learn.Wanted():
		b := kept.learned(m)
		m.origin = originLearned
		if b == nil {
			m.origin = originLearning
		}
		return b, nil
	}
	m.origin = originNone
	return nil, nil
}

// goWithout leaves out, until the baseline is there, what only it can explain.
func (m *monitored) goWithout() {
	if m.origin != originAwaited {
		return // the configuration was asked to explain it
	}
	if !m.Outcome.Favourable.Given() {
		m.Protected = nil // nor intersections of them
	}
	if m.Outcome.Output == "" {
		m.Predictions.Send = false
		m.Labels.Join = false
	}
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

// takeOutcome takes over what the baseline says about the outcome, and reports
// where the configuration says otherwise: the collector judges by the baseline.
func (m *monitored) takeOutcome(f *config.Faults) {
	b := m.baseline.Outcome
	if b == nil {
		return
	}
	const other = "the baseline %s says %q; leave it out here, or build a baseline for it"
	o := &m.Outcome
	if o.Output != "" && o.Output != b.Output {
		f.At("output").Add("%q, but "+other, o.Output, m.Model.Baseline, b.Output)
		return
	}
	if o.Score != "" && b.Score != "" && o.Score != b.Score {
		f.At("score").Add("%q, but "+other, o.Score, m.Model.Baseline, b.Score)
	}
	o.Output = b.Output
	o.Score = cmp.Or(o.Score, b.Score)
	if b.Favourable == nil {
		return
	}
	theirs := agentconfig.Favourable{Values: b.Favourable.Values, AtLeast: b.Favourable.AtLeast}
	if o.Favourable.Given() && !o.Favourable.Agrees(theirs) {
		f.At("favourable").Add("%s, but "+other, describe(o.Favourable), m.Model.Baseline, describe(theirs))
	}
	o.Favourable = theirs
}

// describe writes a favourable side for people.
func describe(f agentconfig.Favourable) string {
	if f.AtLeast != nil {
		return fmt.Sprintf("at least %v", *f.AtLeast)
	}
	return strings.Join(f.Values, ", ")
}

// fits reports where the configuration and the baseline are about different
// things: windows would be counted, and never say anything.
func (m *monitored) fits(f *config.Faults) {
	b := m.baseline
	if b.Model.Name != "" && b.Model.Name != m.Name && b.Model.Name != m.asked {
		f.At("baseline").Add("%s is of model %q, this one is %q; build one for it", m.Baseline, b.Model.Name, m.Name)
	}
	const unknown = "%q is no prediction of the baseline, which has %s"
	at := f.At("outcome")
	if out := m.Outcome.Output; out != "" {
		prediction := b.Feature(signal.TargetPrediction, out)
		if prediction == nil {
			at.At("output").Add(unknown, out, columns(b, signal.TargetPrediction))
		} else {
			m.favourableFits(at.At("favourable"), prediction)
		}
	}
	if score := m.Outcome.Score; score != "" && b.Feature(signal.TargetPrediction, score) == nil {
		at.At("score").Add(unknown, score, columns(b, signal.TargetPrediction))
	}
	for i, p := range m.Protected {
		m.protectedFits(f.At("protected").Index(i), p)
	}
	for i, name := range m.Predictions.Groups {
		if m.Intersection(name) != nil {
			continue // of protected attributes, which were looked at above
		}
		m.inputFits(f.At("predictions").At("groups").Index(i), name)
	}
}

// inputFits reports an attribute that the baseline does not know as an input.
func (m *monitored) inputFits(f *config.Faults, name signal.FeatureName) {
	if !m.ownSource(name) && m.baseline.Group(name) == nil && m.baseline.Feature(signal.TargetFeature, name) == nil {
		f.Add("%q is neither a group nor a feature of the baseline, which has %s", name, columns(m.baseline, signal.TargetFeature))
	}
}

func (m *monitored) protectedFits(f *config.Faults, p agentconfig.Protected) {
	m.inputFits(f.At("attribute"), p.Attribute)
	group := m.baseline.Group(p.Attribute)
	if group == nil {
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
		if slices.ContainsFunc(prediction.Categories, func(c string) bool { return agentconfig.SameValue(v, c) }) {
			return
		}
	}
	f.At("values").Add("none of %s is a value of %s in the baseline, which has %s",
		strings.Join(values, ", "), prediction.Name, strings.Join(prediction.Categories, ", "))
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
