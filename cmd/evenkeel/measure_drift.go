package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/signal"
)

// columnFlags choose the columns of a measurement against a baseline.
type columnFlags struct {
	features, exclude, categorical, predictions []string
	maxCategories                               int
}

func (f *columnFlags) register(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringSliceVar(&f.features, "features", nil, "input `columns`, instead of the inferred ones")
	s.StringSliceVar(&f.exclude, "exclude", nil, "`columns` that are no features")
	s.StringSliceVar(&f.categorical, "categorical", nil, "`columns` of numbers that are names: codes, classes, flags")
	s.StringSliceVar(&f.predictions, "predictions", nil, "output `columns` of the model")
	s.IntVar(&f.maxCategories, "max-categories", defaultSchema().MaxCategories, "most `cells` of a categorical column; rarer ones become (other)")
}

// schema says what the columns of the reference mean.
func (f *columnFlags) schema(cmd *cobra.Command) (schema, error) {
	s := defaultSchema()
	s.Model.Name = "file" // a baseline is one of a model; nobody sees it
	s.Exclude, s.Predictions, s.MaxCategories = f.exclude, f.predictions, f.maxCategories
	s.features, s.categorical = f.features, f.categorical
	if f.maxCategories < 1 {
		return s, usage(cmd, fmt.Errorf("--max-categories: %d; at least 1", f.maxCategories))
	}
	return s, nil
}

func newMeasureDrift() *cobra.Command {
	var files fileFlags
	var columns columnFlags
	var long bool
	cmd := &cobra.Command{
		Use:   "drift --reference FILE --current FILE",
		Short: "How far each column has moved from the reference",
		Long: `Builds a baseline from the reference, counts the current rows into its cells as an
agent does, and compares: PSI, Jensen-Shannon, Hellinger, total variation and
largest change of a share, chi-square and Cramer's V; of numbers also
Kolmogorov-Smirnov, Wasserstein over the reference's standard deviation, and the
shifts of mean and variance.

BY CHANCE is the PSI that one of twenty unchanged samples of this size exceeds.
For a column whose PSI reaches 0.1, a sentence says which part of it moved.`,
		Example: `  evenkeel measure drift --reference march.parquet --current april.parquet

  # one file, halves compared; every method with interval, p-value and convention
  evenkeel measure drift --reference all.csv --reference-rows 0:22656 \
      --current all.csv --current-rows 22656: --long`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reference, current, err := files.inputs(cmd, true)
			if err != nil {
				return err
			}
			s, err := columns.schema(cmd)
			if err != nil {
				return err
			}
			r, err := measureDrift(cmd.Context(), s, reference, current, cmd.ErrOrStderr())
			switch {
			case err != nil:
				return err
			case files.json:
				return printMeasured(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout(), long)
		},
	}
	files.register(cmd, " (required)")
	columns.register(cmd)
	cmd.Flags().BoolVar(&long, "long", false, "one line for each method, with every field")
	return cmd
}

// driftResult is what evenkeel measure drift prints.
type driftResult struct {
	Reference measuredFile  `json:"reference"`
	Current   measuredFile  `json:"current"`
	Columns   []driftColumn `json:"columns"`

	plan *plan
}

type driftColumn struct {
	Column      signal.FeatureName `json:"column"`
	Target      signal.Target      `json:"target"`
	Kind        signal.Kind        `json:"kind"`
	Scores      []driftScore       `json:"scores"`
	Explanation string             `json:"explanation"`
}

type driftScore struct {
	Method string `json:"method"`
	estimate
	P        *float64 `json:"p"`
	Bound    *float64 `json:"bound"`
	Critical *float64 `json:"critical"`
	Visible  *float64 `json:"visible"`
}

func measureDrift(ctx context.Context, s schema, reference, current input, terminal io.Writer) (*driftResult, error) {
	var c comparison
	if err := c.compare(ctx, s, reference, current, terminal); err != nil {
		return nil, err
	}
	r := &driftResult{Reference: c.reference, Current: c.current, Columns: []driftColumn{}, plan: c.plan}
	for i := range c.baseline.Features {
		f := &c.baseline.Features[i]
		if indexOf(c.survey, string(f.Name)) < 0 {
			return nil, unknownColumn(current.path, string(f.Name), c.survey, "leave it out with --exclude "+string(f.Name))
		}
		column, err := driftOf(f, c.distribution(f))
		if err != nil {
			return nil, err
		}
		r.Columns = append(r.Columns, column)
	}
	return r, nil
}

func driftOf(f *signal.FeatureBaseline, d *signal.Distribution) (driftColumn, error) {
	column := driftColumn{Column: f.Name, Target: f.Target, Kind: f.Kind, Scores: []driftScore{}}
	scores, err := f.Drift(d)
	if err != nil {
		return column, err
	}
	for _, s := range scores {
		column.Scores = append(column.Scores, driftScore{s.Method, printable(s.Estimate), s.P, s.Bound, s.Critical, s.Visible})
	}
	column.Explanation, err = f.Explain(d)
	return column, err
}

// score finds a method's score; nil where it is undefined.
func (c *driftColumn) score(method string) *driftScore {
	for i := range c.Scores {
		if c.Scores[i].Method == method {
			return &c.Scores[i]
		}
	}
	return nil
}

func (r *driftResult) print(out io.Writer, long bool) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Drift of %s from %s\n\n", r.Current, r.Reference)
	if long {
		r.writeLong(&text)
	} else {
		r.writeShort(&text)
	}
	told := false
	for i := range r.Columns {
		if s := r.Columns[i].score(signal.DriftPSI); s != nil && *s.Value >= noisy {
			if !told {
				text.WriteByte('\n')
			}
			told = true
			text.WriteString(r.Columns[i].Explanation + "\n")
		}
	}
	writeLeftOut(&text, r.plan)
	_, err := io.WriteString(out, text.String())
	return err
}

// writeShort writes the methods that rules go by, a line for each column.
func (r *driftResult) writeShort(out io.Writer) {
	t := newTable(out)
	fmt.Fprintln(t, "COLUMN\tKIND\tROWS\tPSI\tBY CHANCE\tJS\tCRAMER'S V\tKS\tWASSERSTEIN")
	for i := range r.Columns {
		c := &r.Columns[i]
		value := func(method string) string {
			if s := c.score(method); s != nil {
				return decimals(s.Value)
			}
			return "-"
		}
		psi := cmp.Or(c.score(signal.DriftPSI), &driftScore{})
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Column, c.Kind, psi.Samples,
			value(signal.DriftPSI), decimals(psi.Critical), value(signal.DriftJS), value(signal.DriftCramersV),
			value(signal.DriftKS), value(signal.DriftWasserstein))
	}
	_ = t.Flush() // into a strings.Builder: cannot fail
}

func (r *driftResult) writeLong(out io.Writer) {
	t := newTable(out)
	fmt.Fprintln(t, "COLUMN\tMETHOD\tVALUE\tINTERVAL\tROWS\tP\tBOUND\tBY CHANCE\tVISIBLE\tCONVENTION")
	for _, c := range r.Columns {
		for _, s := range c.Scores {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", c.Column, s.Method, decimals(s.Value), s.intervalText(), s.Samples,
				decimals(s.P), decimals(s.Bound), decimals(s.Critical), decimals(s.Visible), s.Convention)
		}
	}
	_ = t.Flush() // into a strings.Builder: cannot fail
}
