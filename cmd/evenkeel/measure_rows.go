package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/tabular"
	"github.com/evenkeel/evenkeel/signal"
)

// roleFlags name the columns that say what a model answered and what was right.
type roleFlags struct {
	outcome, label, score string
	favourable            []string
	atLeast               float64
	confidence            float64
}

func (f *roleFlags) register(cmd *cobra.Command, label string) {
	s := cmd.Flags()
	s.StringVar(&f.outcome, "outcome", "", "`column` of the model's decisions")
	s.StringSliceVar(&f.favourable, "favourable", nil, "`values` of outcome and label that are favourable, or positive")
	s.Float64Var(&f.atLeast, "favourable-at-least", 0, "outcomes and labels from this `limit` on are")
	s.StringVar(&f.label, "label", "", "`column` of what was right"+label)
	s.StringVar(&f.score, "score", "", "`column` of the probability, or score, of the favourable outcome")
}

// rule gives which outcomes are favourable; false where nothing says so.
func (f *roleFlags) rule(cmd *cobra.Command) (signal.Favourable, bool, error) {
	rule := signal.Favourable{Values: f.favourable}
	if cmd.Flags().Changed("favourable-at-least") {
		rule.AtLeast = &f.atLeast
	}
	if rule.AtLeast != nil && len(rule.Values) > 0 {
		return rule, false, usage(cmd, errors.New("--favourable and --favourable-at-least exclude each other; keep one"))
	}
	if !(f.confidence > 0 && f.confidence < 1) {
		return rule, false, usage(cmd, fmt.Errorf("--confidence: %v is not between 0 and 1", f.confidence))
	}
	return rule, rule.AtLeast != nil || len(rule.Values) > 0, nil
}

// roles say which columns to load, by name; an empty name is none.
type roles struct {
	outcome, label, score string
	attributes            []string
	rule                  signal.Favourable // AtLeast: outcome and label are numbers
	numbers               bool              // outcome and label are numbers in any case
	labelMayLack          bool              // a file without the label's column is not wrong
}

// decisions are the loaded columns of a file, one entry for each row.
type decisions struct {
	measuredFile
	outcome, label *signal.Column // nil: not there
	score          []float64      // nil: not there; NaN is missing
	attributes     []signal.Column
}

// loadDecisions reads the columns twice: to learn what they hold, and to load them.
func loadDecisions(ctx context.Context, in input, r roles, terminal io.Writer) (*decisions, error) {
	file, err := openInput(ctx, in, terminal)
	if err != nil {
		return nil, err
	}
	defer file.close()
	survey, err := file.survey()
	if err != nil {
		return nil, err
	}
	w := wants{at: map[tabular.Want]int{}}
	var of []tabular.Want
	names := append([]string{r.outcome, r.label, r.score}, r.attributes...)
	for role, name := range names {
		want, err := r.want(in.path, survey, role, name)
		if err != nil {
			return nil, err
		}
		if want.Column >= 0 {
			w.add(want)
		}
		of = append(of, want)
	}
	values, err := pass(file, func(reader *tabular.Reader, progress tabular.Progress) ([]tabular.Values, error) {
		return tabular.Load(reader, w.list, survey.Rows, progress)
	})
	if err != nil {
		return nil, err
	}
	column := func(role int) *signal.Column {
		if of[role].Column < 0 {
			return nil
		}
		v := values[w.at[of[role]]]
		return &signal.Column{Name: signal.FeatureName(names[role]), Target: signal.TargetPrediction, Numbers: v.Numbers, Strings: v.Texts, Missing: v.Missing}
	}
	p := &decisions{measuredFile: measuredFile{in.path, survey.Rows}, outcome: column(0), label: column(1)}
	if score := column(2); score != nil {
		p.score = score.Numbers
	}
	for i := range r.attributes {
		p.attributes = append(p.attributes, *column(3 + i))
	}
	return p, nil
}

// want says how to load the column of a role: outcome, label, score, then the
// attributes. Its Column is -1 where there is nothing to load.
func (r *roles) want(path string, survey *tabular.Survey, role int, name string) (tabular.Want, error) {
	none := tabular.Want{Column: -1}
	if name == "" {
		return none, nil
	}
	i := indexOf(survey, name)
	switch {
	case i < 0 && role == 1 && r.labelMayLack:
		return none, nil
	case i < 0:
		return none, unknownColumn(path, name, survey, "")
	case role == 2 || role < 2 && (r.numbers || r.rule.AtLeast != nil):
		return tabular.Want{Column: i, Numeric: true}, nil
	}
	c := plannedColumn{Column: survey.Columns[i], index: i}
	return c.asText(), nil
}

func unknownColumn(path, name string, survey *tabular.Survey, cure string) error {
	var known []string
	for _, c := range survey.Columns {
		known = append(known, c.Name)
	}
	if cure == "" {
		cure = cureColumn(name, known)
	}
	return errs.E("read data", errs.Invalid, fmt.Errorf("%s has no column %q", path, name), cure)
}

// judged is what a row's outcome or label means.
type judged uint8

const (
	unknown judged = iota // missing
	no
	yes
)

func (r *roles) judge(c *signal.Column, i int) (judged, error) {
	if c == nil || missing(c, i) {
		return unknown, nil
	}
	favourable, err := r.rule.Judge(c, i)
	if err != nil {
		return unknown, fmt.Errorf("column %q: %w", c.Name, err)
	}
	if favourable {
		return yes, nil
	}
	return no, nil
}

// missing says whether row i holds no value.
func missing(c *signal.Column, i int) bool {
	if c.Numbers != nil {
		return c.Numbers[i] != c.Numbers[i] // NaN
	}
	return c.Strings[i] == "" || c.Missing != nil && c.Missing[i]
}
