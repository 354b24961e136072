package agent

import (
	"math"
	"strings"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/signal"
)

// predictor makes predictions of observations: what is told about single rows.
type predictor struct {
	model      *monitored
	attributes []signal.FeatureName // whose groups are told, or counted here
	shared     signal.Prediction    // what all rows have: who, by what, on which basis
	words      words

	intersection []byte // scratch: the name of one
}

// newPredictor gives nil where nothing is sent about single rows.
func newPredictor(m *monitored, system signal.SystemID, instance signal.InstanceID) *predictor {
	if !m.Predictions.Send && !m.Labels.Join {
		return nil
	}
	p := &predictor{model: m, attributes: m.Predictions.Groups, words: words{texts: map[string]string{}, numbers: map[float64]string{}}}
	p.shared = signal.Prediction{System: system, Instance: instance, Baseline: m.digest}
	if m.Labels.Join { // groups stay here: they are counted
		p.attributes = nil
		for _, one := range m.Protected {
			p.attributes = append(p.attributes, one.Attribute)
		}
		for _, members := range m.Intersections {
			p.attributes = append(p.attributes, signal.IntersectionName(members))
		}
	} else if len(m.Predictions.Groups) > 0 {
		p.shared.Basis = m.Predictions.LawfulBasis
	}
	return p
}

// predictions gives one for each row. It keeps nothing of the observation.
func (p *predictor) predictions(obs *signal.Observation) []signal.Prediction {
	m := p.model
	value := columnOf(obs, signal.TargetPrediction, m.Outcome.Output)
	score := columnOf(obs, signal.TargetPrediction, m.Outcome.Score)
	row := p.shared
	row.Rate = obs.Rate
	row.Lineage = p.words.lineage(&obs.Lineage)
	row.Model = signal.ModelRef{Name: m.Name, Version: m.Version}
	if m.Version == "" {
		row.Model.Version = p.words.text(obs.Model.Version)
	}
	row.ID, row.TraceID, row.Time = m.filter.HashID(strings.Clone(obs.Request)), strings.Clone(obs.TraceID), obs.Time
	groups := p.groups(obs)
	out := make([]signal.Prediction, obs.Rows)
	for i := range out {
		row.Row = uint32(i)
		row.Value = p.words.at(value, i)
		row.Score = numberAt(score, i)
		row.Groups = groups[i*len(p.attributes) : (i+1)*len(p.attributes)]
		out[i] = row
	}
	return out
}

// groups gives the memberships of all rows, row by row.
func (p *predictor) groups(obs *signal.Observation) []signal.Membership {
	names := p.attributes
	out := make([]signal.Membership, obs.Rows*len(names))
	for j, name := range names {
		g := p.grouping(obs, name)
		for i := range obs.Rows {
			out[i*len(names)+j] = signal.Membership{Attribute: name, Group: p.group(&g, i)}
		}
	}
	return out
}

// columnOf finds a column with a value for each row; nil where there is none.
// Of two with one name the first counts.
func columnOf(obs *signal.Observation, target signal.Target, name signal.FeatureName) *signal.Column {
	for i := range obs.Columns {
		c := &obs.Columns[i]
		if c.Target == target && c.Name == name && (len(c.Numbers) == obs.Rows || len(c.Strings) == obs.Rows) {
			return c
		}
	}
	return nil
}

// numberAt gives a row of a column as a number; NaN where it is none.
func numberAt(c *signal.Column, i int) float64 {
	x := math.NaN()
	switch {
	case c == nil:
	case c.Strings == nil:
		x = c.Numbers[i]
	case c.Missing == nil || !c.Missing[i]:
		if n, ok := category.Number(c.Strings[i]); ok {
			x = n
		}
	}
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// words keeps one copy of each text that comes often, so that a class or a group
// costs no memory of its own for each row. How many are kept is bounded.
type words struct {
	texts   map[string]string
	numbers map[float64]string
}

const maxWords = 1024

// at gives a row of a column as text, as a category is written; empty where
// there is none.
func (w words) at(c *signal.Column, i int) string {
	switch {
	case c == nil:
		return ""
	case c.Strings == nil:
		return w.number(c.Numbers[i])
	case c.Missing != nil && c.Missing[i]:
		return ""
	}
	return w.text(c.Strings[i])
}

func (w words) text(s string) string {
	if kept, ok := w.texts[s]; ok {
		return kept
	}
	s = strings.Clone(s)
	if len(w.texts) < maxWords {
		w.texts[s] = s
	}
	return s
}

// lineage keeps one copy of each text of what stood behind an answer.
func (w words) lineage(l *signal.Lineage) (out signal.Lineage) {
	for part, value := range l {
		if value != "" {
			out[part] = w.text(value)
		}
	}
	return out
}

func (w words) number(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return ""
	}
	if kept, ok := w.numbers[x]; ok {
		return kept
	}
	s := category.OfNumber(x)
	if len(w.numbers) < maxWords {
		w.numbers[x] = s
	}
	return s
}
