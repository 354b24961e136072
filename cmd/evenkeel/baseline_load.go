package main

import (
	"errors"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/tabular"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// build loads the planned columns, each once however many roles it has, and
// makes the baseline.
func (p *plan) build(s schema, file *inputFile, rows int) (*signal.Baseline, error) {
	w := wants{at: map[tabular.Want]int{}}
	for _, c := range p.columns {
		for _, want := range c.wanted() {
			w.add(want)
		}
	}
	values, err := pass(file, func(r *tabular.Reader, progress tabular.Progress) ([]tabular.Values, error) {
		return tabular.Load(r, w.list, rows, progress)
	})
	if err != nil {
		return nil, err
	}
	columns, options := p.arrange(s, file.path, func(want tabular.Want) tabular.Values { return values[w.at[want]] })
	b, err := signal.BuildBaseline(columns, options)
	if p.inferredSet() && errors.Is(err, measure.ErrUndefined) {
		// Nobody asked for them together, so it is no fault that they cannot be.
		p.sets, p.notTogether = p.sets[1:], err.Error()
		options.Joint = options.Joint[1:]
		b, err = signal.BuildBaseline(columns, options)
	}
	if err != nil {
		return nil, errs.E("build baseline", errs.Invalid, err, "")
	}
	return b, nil
}

// wanted says how to load the column, once for each kind of role it has.
func (c *plannedColumn) wanted() []tabular.Want {
	var out []tabular.Want
	if c.target != "" {
		out = append(out, c.asPlanned())
	}
	if c.embedding {
		out = append(out, c.asNumbers())
	}
	if c.protected || c.label {
		out = append(out, c.asText())
	}
	if c.text {
		out = append(out, c.asWritten())
	}
	return out
}

// arrange turns loaded values into the builder's input.
func (p *plan) arrange(s schema, path string, loaded func(tabular.Want) tabular.Values) ([]signal.Column, signal.BuildOptions) {
	options := signal.BuildOptions{
		Model:         s.Model,
		Source:        filepath.Base(path),
		MaxCategories: s.MaxCategories,
		Favourable:    s.Outcome.rule(),
		Score:         signal.FeatureName(s.Outcome.Score),
		Windows:       s.Windows,
	}
	var columns []signal.Column
	for _, c := range p.columns {
		if c.label {
			label := c.column(loaded(c.asText()))
			options.Label = &label
		}
		if c.text {
			options.Texts = append(options.Texts, signal.TextColumn{Column: c.column(loaded(c.asWritten()))})
		}
		if c.target == "" {
			continue
		}
		column := c.column(loaded(c.asPlanned()))
		columns = append(columns, column)
		if c.outcome {
			options.Outcome = &column
		}
	}
	for _, attribute := range s.Protected {
		for _, c := range p.columns {
			if c.Name == attribute.Attribute {
				options.Protected = append(options.Protected, signal.ProtectedColumn{
					Column: c.column(loaded(c.asText())), Reference: attribute.Reference,
				})
			}
		}
	}
	options.Intersections = s.intersections()
	for _, set := range p.sets {
		j := signal.JointColumns{Name: set.name, Target: set.target, Axes: set.axes}
		for _, i := range set.columns {
			j.Columns = append(j.Columns, p.columns[i].column(loaded(p.columns[i].asNumbers())))
		}
		options.Joint = append(options.Joint, j)
	}
	return columns, options
}

func (c *plannedColumn) column(v tabular.Values) signal.Column {
	return signal.Column{Name: signal.FeatureName(c.Name), Target: c.target, Numbers: v.Numbers, Strings: v.Texts, Missing: v.Missing}
}

func (c *plannedColumn) asPlanned() tabular.Want {
	if c.kind == signal.Numeric {
		return c.asNumbers()
	}
	return c.asText()
}

func (c *plannedColumn) asNumbers() tabular.Want {
	return tabular.Want{Column: c.index, Numeric: true}
}

// asWritten takes texts as they are.
func (c *plannedColumn) asWritten() tabular.Want { return tabular.Want{Column: c.index} }

// asText takes numbers and booleans as categories in the form in which agents
// count them, unless there is text among them, which makes them codes.
func (c *plannedColumn) asText() tabular.Want {
	return tabular.Want{Column: c.index, Served: c.Numeric() || c.Boolean()}
}

// wants lists what to load without repetitions.
type wants struct {
	list []tabular.Want
	at   map[tabular.Want]int
}

func (w *wants) add(want tabular.Want) {
	if _, known := w.at[want]; !known {
		w.at[want] = len(w.list)
		w.list = append(w.list, want)
	}
}
