package agent

import (
	"context"
	"slices"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/privacy"
	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// privacyParts are what a model's observations pass through first.
type privacyParts struct {
	sources *privacy.Sources // attributes that are no inputs; nil: none
	filter  *privacy.Filter  // nil: everything is used as it is
	headers []string         // that something is read from
}

// idColumn is the column of a file of attributes that holds the requests' ids.
const idColumn = "id"

// loadPrivacy reads the files that the model's privacy rests on, and reports what
// does not fit.
func (m *monitored) loadPrivacy(at *config.Faults) {
	m.loadFilter(at.At("privacy"))
	var list []privacy.Source
	tables := map[agentconfig.Origin]*privacy.Table{}
	for i, p := range m.Protected {
		if !p.From.Given() {
			continue
		}
		s := privacy.Source{Attribute: p.Attribute, Header: p.From.Header, ID: p.From.ID}
		if p.From.Header != "" {
			m.headers = append(m.headers, p.From.Header)
		} else if s.Table = tables[p.From]; s.Table == nil {
			var err error
			if s.Table, err = privacy.OpenTable(p.From.File, idName(p.From), m.attributesOf(p.From)); err != nil {
				at.At("protected").Index(i).At("from").At("file").Add("%v", err)
				continue
			}
			tables[p.From] = s.Table
		}
		list = append(list, s)
	}
	m.sources = privacy.NewSources(list)
}

func idName(o agentconfig.Origin) string {
	if o.ID == "" {
		return idColumn
	}
	return string(o.ID)
}

// attributesOf gives the attributes that come from one file.
func (m *monitored) attributesOf(o agentconfig.Origin) []signal.FeatureName {
	var out []signal.FeatureName
	for _, p := range m.Protected {
		if p.From == o {
			out = append(out, p.Attribute)
		}
	}
	return out
}

func (m *monitored) loadFilter(f *config.Faults) {
	p := m.Privacy
	var key []byte
	var err error
	if p.Hash.Used() {
		if key, err = privacy.ReadKey(p.Hash.KeyFile); err != nil {
			f.At("hash").At("key_file").Add("%v", err)
			return
		}
	}
	var own []signal.FeatureName
	for _, one := range m.Protected {
		if one.From.Given() {
			own = append(own, one.Attribute)
		}
	}
	m.filter, err = privacy.NewFilter(privacy.Options{Drop: p.Drop, Allow: p.Allow, Keep: own, Hash: p.Hash.Features, IDs: p.Hash.IDs, Key: key})
	if err != nil {
		f.Add("%v", err)
	}
	if m.baseline != nil {
		m.privacyFits(f)
	}
}

// privacyFits reports columns that the baseline would wait for in vain.
func (m *monitored) privacyFits(f *config.Faults) {
	const without = "%q is a column of the baseline, which would find it missing in every row; build the baseline without it"
	for i, name := range m.Privacy.Drop {
		if m.watches(name) {
			f.At("drop").Index(i).Add(without, name)
		}
	}
	if len(m.Privacy.Allow) > 0 {
		for _, b := range m.baseline.Features {
			if b.Target == signal.TargetFeature && !slices.Contains(m.Privacy.Allow, b.Name) && !m.ownSource(b.Name) {
				f.At("allow").Add(without+", or list it", b.Name)
			}
		}
	}
	for i, name := range m.Privacy.Hash.Features {
		for _, b := range m.baseline.Features {
			clear := b.Kind != signal.Categorical || slices.ContainsFunc(b.Categories, func(c string) bool { return !privacy.IsHashed(c) })
			if b.Name == name && clear {
				f.At("hash").At("features").Index(i).Add("the baseline has %q in clear; build it from hashed values, or without that column", name)
			}
		}
	}
}

func (m *monitored) watches(name signal.FeatureName) bool {
	return m.baseline.Feature(signal.TargetFeature, name) != nil || m.baseline.Feature(signal.TargetPrediction, name) != nil ||
		slices.ContainsFunc(m.baseline.Joint, func(j signal.JointBaseline) bool { return slices.Contains(j.Columns, name) }) ||
		slices.ContainsFunc(m.baseline.Texts, func(t signal.TextBaseline) bool { return t.Column == name })
}

// ownSource says that an attribute does not come from the request's body.
func (m *monitored) ownSource(name signal.FeatureName) bool {
	return slices.ContainsFunc(m.Protected, func(p agentconfig.Protected) bool { return p.Attribute == name && p.From.Given() })
}

// private gives an observation as the rest of the agent may see it.
func (m *monitored) private(obs *signal.Observation, x *tap.Exchange) *signal.Observation {
	return m.filter.Apply(m.sources.Apply(obs, x.Headers))
}

// keptHeaders are those that some model's attributes or lineage come from.
func (a *Agent) keptHeaders() []string {
	p := a.plan()
	if p == nil {
		return nil
	}
	return p.headers
}

// headersOf gives the headers of all models, each once.
func headersOf(models []monitored) []string {
	var out []string
	for i := range models {
		for _, h := range models[i].headers {
			if !slices.Contains(out, h) {
				out = append(out, h)
			}
		}
	}
	return out
}

// followTables reads files of attributes again when they have changed.
func (a *Agent) followTables(ctx context.Context) {
	everySoOften(ctx, filesEvery, a.refreshTables)
}

func (a *Agent) refreshTables() {
	for _, s := range a.plan().inOrder() {
		for _, t := range s.sources.Tables() {
			changed, err := t.Refresh()
			switch {
			case err != nil:
				a.tableFailures.Add(1)
				a.log.Error("attributes stay as they were", "file", t.Path(), "error", err)
			case changed:
				a.log.Info("attributes were read again", "file", t.Path())
			}
		}
	}
}
