package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// buildFlags are the flags of evenkeel baseline build as they were typed.
type buildFlags struct {
	input, format, rows   string
	output, schema        string
	force                 bool
	model, version        string
	features, categorical []string
	predictions, exclude  []string
	outcome               string
	favourable            []string
	atLeast               float64
	protected, reference  []string
	intersect             bool
	maxCategories         int
	score, label          string
	joint, windows        int
	embeddings, texts     []string
}

func (f *buildFlags) register(cmd *cobra.Command) {
	s := cmd.Flags()
	s.SortFlags = false
	s.StringVarP(&f.input, "input", "i", "", "`file` of reference data, one row for each answer (required)")
	s.StringVar(&f.format, "format", "", formatUsage)
	s.StringVarP(&f.output, "output", "o", "baseline.json", "`file` to write")
	s.BoolVar(&f.force, "force", false, "replace the output file")
	s.StringVar(&f.rows, "rows", "", "only the rows `FROM:TO`, counted from 0, without TO")
	s.StringVar(&f.schema, "schema", "", "YAML `file` that says all of what follows; flags win over it")
	s.StringVar(&f.model, "model", "", "`name` of the model, as in its URL")
	s.StringVar(&f.version, "version", "", "`version` of the model the data came from")
	s.StringSliceVar(&f.features, "features", nil, "input `columns`, instead of the inferred ones")
	s.StringSliceVar(&f.exclude, "exclude", nil, "`columns` that are no features")
	s.StringSliceVar(&f.categorical, "categorical", nil, "`columns` of numbers that are names: codes, classes, flags")
	s.StringSliceVar(&f.predictions, "predictions", nil, "output `columns` beside the outcome, such as a score")
	s.StringVar(&f.outcome, "outcome", "", "output `column` that decides; watched as a prediction")
	s.StringSliceVar(&f.favourable, "favourable", nil, "`values` of the outcome that are favourable to the person")
	s.Float64Var(&f.atLeast, "favourable-at-least", 0, "outcomes from this `limit` on are favourable")
	s.StringVar(&f.score, "score", "", "output `column` with the score of the favourable outcome")
	s.StringVar(&f.label, "label", "", "`column` of what was right; calibrates the score, so the model must not have learnt from these rows")
	s.StringSliceVar(&f.protected, "protected", nil, "`columns` whose groups are compared; features only if --features names them")
	s.StringSliceVar(&f.reference, "reference", nil, "compare the groups of a column with this one, `column=group`; otherwise the largest")
	s.BoolVar(&f.intersect, "intersect", false, "compare also the groups of all protected columns at once")
	s.IntVar(&f.maxCategories, "max-categories", 100, "most `cells` of a categorical column; rarer ones become (other)")
	s.IntVar(&f.joint, "joint", defaultAxes, "`axes` that the numeric inputs are watched along together; 0: only one by one")
	s.StringArrayVar(&f.embeddings, "embedding", nil, "`columns` that are one embedding, NAME=PREFIX of theirs, NAME=COLUMN,COLUMN or NAME for NAME.0, NAME.1 and so on; may be repeated")
	s.StringSliceVar(&f.texts, "text", nil, "`columns` of texts, watched by what they are made of")
	s.IntVar(&f.windows, "windows", 0, "`number` of windows that the rows, in the order of time, are cut into to learn how much windows vary; best each of about as many rows as will be served in one")
}

const formatUsage = "`format` of the rows: csv, jsonl or parquet; otherwise by the extension"

// options puts flags and schema file together and checks them.
func (f *buildFlags) options(cmd *cobra.Command) (buildOptions, error) {
	o := buildOptions{input: input{flag: "input", path: f.input, format: f.format}, output: f.output, force: f.force, schema: defaultSchema()}
	o.schema.Joint = nil // a default that data without enough numbers need not meet
	if f.input == "" {
		return o, usage(cmd, errors.New("no reference data: --input FILE is missing"))
	}
	var err error
	if cmd.Flags().Changed("rows") {
		if o.input.from, o.input.to, err = parseRows(f.rows); err != nil {
			return o, usage(cmd, fmt.Errorf("--rows: %w", err))
		}
	}
	name := "flags"
	if f.schema != "" {
		name = f.schema
		err = config.Load(f.schema, &o.schema)
		if errors.Is(err, fs.ErrNotExist) {
			return o, errs.E("read schema", errs.NotFound, err, "check --schema")
		}
		if err != nil {
			return o, errs.E("read schema", errs.Invalid, err, "")
		}
	}
	if err := f.over(cmd, &o.schema); err != nil {
		return o, usage(cmd, err)
	}
	if err := o.schema.validate(name); err != nil {
		return o, errs.E("build baseline", errs.Invalid, err, "")
	}
	return o, nil
}

// over lays the flags that were given over the schema.
func (f *buildFlags) over(cmd *cobra.Command, s *schema) error {
	given := cmd.Flags().Changed
	for name, lay := range map[string]func(){
		"model":          func() { s.Model.Name = f.model },
		"version":        func() { s.Model.Version = f.version },
		"features":       func() { s.features = f.features },
		"categorical":    func() { s.categorical = f.categorical },
		"predictions":    func() { s.Predictions = f.predictions },
		"exclude":        func() { s.Exclude = f.exclude },
		"outcome":        func() { s.Outcome.Output = f.outcome },
		"max-categories": func() { s.MaxCategories = f.maxCategories },
		"score":          func() { s.Outcome.Score = f.score },
		"label":          func() { s.Outcome.Label = f.label },
		"joint":          func() { s.Joint = &f.joint },
		"windows":        func() { s.Windows = f.windows },
		"text":           func() { s.Texts = f.texts },
		"favourable": func() {
			s.Outcome.Favourable.Values = f.favourable
			if !given("favourable-at-least") {
				s.Outcome.Favourable.AtLeast = nil
			}
		},
		"favourable-at-least": func() {
			s.Outcome.Favourable.AtLeast = &f.atLeast
			if !given("favourable") {
				s.Outcome.Favourable.Values = nil
			}
		},
		"protected": func() {
			s.Protected = nil
			for _, attribute := range f.protected {
				s.Protected = append(s.Protected, protected{Attribute: attribute})
			}
		},
	} {
		if given(name) {
			lay()
		}
	}
	if given("embedding") {
		if err := f.overEmbeddings(s); err != nil {
			return err
		}
	}
	if given("intersect") {
		if err := f.overIntersections(s); err != nil {
			return err
		}
	}
	return f.overReferences(s)
}

// overEmbeddings takes the place of the schema's embeddings.
func (f *buildFlags) overEmbeddings(s *schema) error {
	s.Embeddings = nil
	for _, text := range f.embeddings {
		name, of, found := strings.Cut(text, "=")
		e := embedding{Name: name}
		switch {
		case name == "" || found && of == "":
			return fmt.Errorf("--embedding: %q; write NAME=PREFIX or NAME=COLUMN,COLUMN, for example image=img_", text)
		case strings.Contains(of, ","):
			e.Columns = strings.Split(of, ",")
		default:
			e.Prefix = of
		}
		s.Embeddings = append(s.Embeddings, e)
	}
	return nil
}

// overReferences lays column=group over the protected attributes.
func (f *buildFlags) overReferences(s *schema) error {
	for _, r := range f.reference {
		column, group, found := strings.Cut(r, "=")
		if !found || group == "" {
			return fmt.Errorf("--reference: %q; write column=group, for example gender=male", r)
		}
		matched := false
		for i := range s.Protected {
			if s.Protected[i].Attribute == column {
				s.Protected[i].Reference = group
				matched = true
			}
		}
		if !matched {
			return fmt.Errorf("--reference: %q is not protected; add --protected %s", column, column)
		}
	}
	return nil
}

// rule gives the schema's rule as the builder wants it.
func (o outcome) rule() signal.Favourable {
	return signal.Favourable{Values: o.Favourable.Values, AtLeast: o.Favourable.AtLeast}
}
