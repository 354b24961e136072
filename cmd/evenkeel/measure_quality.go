package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

func newMeasureQuality() *cobra.Command {
	var files fileFlags
	var columns columnFlags
	var confidence float64
	var long bool
	cmd := &cobra.Command{
		Use:   "quality --reference FILE --current FILE",
		Short: "What is missing, of the wrong type, out of range or new",
		Long: `Builds a baseline from the reference and counts, as an agent does, the current
values that are not as the reference had them: missing, text among numbers, a
number beyond the reference's range widened by a tenth, a category that it has
not. Each is a share of the values that could have had the fault, with Wilson's
interval; what was not found is not listed. Below: columns that came, went, or hold
one value only, and how many rows repeat another one in all the columns that are
counted (estimated, to about 2% of the rows).`,
		Example: `  evenkeel measure quality --reference march.csv --current april.jsonl`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reference, current, err := files.inputs(cmd, true)
			if err != nil {
				return err
			}
			s, err := columns.schema(cmd)
			if err != nil {
				return err
			}
			c := comparison{duplicates: &measure.HyperLogLog{}}
			if err := c.compare(cmd.Context(), s, reference, current, cmd.ErrOrStderr()); err != nil {
				return err
			}
			r, err := c.quality(confidence)
			switch {
			case err != nil:
				return usage(cmd, fmt.Errorf("--confidence: %w", err))
			case files.json:
				return printMeasured(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout(), long)
		},
	}
	files.register(cmd, " (required)")
	columns.register(cmd)
	registerConfidence(cmd, &confidence)
	cmd.Flags().BoolVar(&long, "long", false, "also the checks that found nothing")
	return cmd
}

func registerConfidence(cmd *cobra.Command, into *float64) {
	cmd.Flags().Float64Var(into, "confidence", 0.95, "`share` of intervals that hold the true value")
}

// qualityResult is what evenkeel measure quality prints.
type qualityResult struct {
	Reference measuredFile   `json:"reference"`
	Current   measuredFile   `json:"current"`
	Checks    []qualityCheck `json:"checks"`
	Repeated  possible       `json:"repeated"` // share of rows that repeat another one
	Absent    []string       `json:"absent"`   // of the reference's columns
	Unknown   []string       `json:"unknown"`  // columns that the reference has not
	Constant  []string       `json:"constant"` // columns of one value that had more in the reference

	plan *plan
}

type qualityCheck struct {
	Column signal.FeatureName `json:"column"`
	Target signal.Target      `json:"target"`
	Check  string             `json:"check"`
	Count  uint64             `json:"count"`
	estimate
	Before *float64 `json:"before"` // the reference's share; null where it is 0 by definition
}

// quality lists the checks of every column.
func (c *comparison) quality(confidence float64) (*qualityResult, error) {
	if !(confidence > 0 && confidence < 1) {
		return nil, fmt.Errorf("%v is not between 0 and 1", confidence)
	}
	r := &qualityResult{
		Reference: c.reference, Current: c.current, Checks: []qualityCheck{},
		Absent: []string{}, Unknown: []string{}, Constant: []string{}, plan: c.plan,
		Repeated: orUndefined(measure.DuplicateShare(c.duplicates, uint64(c.current.Rows), confidence)),
	}
	for i := range c.baseline.Features {
		f := &c.baseline.Features[i]
		r.Checks = append(r.Checks, qualityOf(f, c.violations[i], uint64(c.current.Rows), confidence)...)
		if indexOf(c.survey, string(f.Name)) < 0 {
			r.Absent = append(r.Absent, string(f.Name))
		} else if d := c.distribution(f); constant(f.Kind, d.Counts, d.Other+d.New, d.Min, d.Max) && !constant(f.Kind, f.Counts, f.Other, f.Min, f.Max) {
			r.Constant = append(r.Constant, string(f.Name))
		}
	}
	for _, column := range c.survey.Columns {
		known := slices.ContainsFunc(c.plan.columns, func(p plannedColumn) bool { return p.Name == column.Name })
		if !known {
			r.Unknown = append(r.Unknown, column.Name)
		}
	}
	return r, nil
}

// qualityOf gives the checks that a column can fail: a number is no category, a
// category has no range. Those without a value that could fail are left out.
func qualityOf(f *signal.FeatureBaseline, v window.Violations, rows uint64, confidence float64) []qualityCheck {
	counts := measure.QualityCounts{Rows: rows, Missing: v.Missing, TypeFault: v.Type, OutOfRange: v.OutOfRange, New: v.NewCategory}
	before := float64(f.Missing) / float64(f.N)
	var out []qualityCheck
	for _, m := range []struct {
		check   string
		applies bool
		count   uint64
		before  *float64
		share   func(confidence float64) (measure.Estimate, error)
	}{
		{signal.ViolationMissing, true, v.Missing, &before, counts.MissingShare},
		{signal.ViolationType, f.Kind == signal.Numeric, v.Type, nil, counts.TypeFaultShare},
		{signal.ViolationOutOfRange, f.Kind == signal.Numeric, v.OutOfRange, nil, counts.OutOfRangeShare},
		{signal.ViolationNewCategory, f.Kind == signal.Categorical, v.NewCategory, nil, counts.NewCategoryShare},
	} {
		if e, err := m.share(confidence); err == nil && m.applies {
			out = append(out, qualityCheck{f.Name, f.Target, m.check, m.count, printable(e), m.before})
		}
	}
	return out
}

// constant says whether all values are known to be the same.
func constant(kind signal.Kind, counts []uint64, folded uint64, least, most float64) bool {
	var same bool
	var err error
	if kind == signal.Categorical {
		same, err = measure.ConstantCategories(counts, folded)
	} else {
		m := measure.Moments{Min: least, Max: most}
		for _, n := range counts {
			m.N += n
		}
		same, err = measure.ConstantNumbers(m)
	}
	return err == nil && same
}

func (r *qualityResult) print(out io.Writer, long bool) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Quality of %s against %s\n\n", r.Current, r.Reference)
	t := newTable(&text)
	fmt.Fprintln(t, "COLUMN\tCHECK\tCOUNT\tSHARE\tINTERVAL\tBEFORE")
	silent := 0
	for _, c := range r.Checks {
		if !long && c.Count == 0 && (c.Before == nil || *c.Before == 0) {
			silent++
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\t%s\n", c.Column, strings.ReplaceAll(c.Check, "_", " "), c.Count, decimals(c.Value), c.intervalText(), decimals(c.Before))
	}
	_ = t.Flush() // into a strings.Builder: cannot fail
	if silent > 0 {
		fmt.Fprintf(&text, "\n%s found nothing; --long lists them.\n", counted(silent, "other check"))
	}
	if r.Repeated.Value != nil {
		fmt.Fprintf(&text, "\nRows that repeat another one: %s %s of all.\n", r.Repeated.text(), r.Repeated.intervalText())
	}
	writeLeftOut(&text, r.plan)
	for _, note := range []struct {
		text    string
		columns []string
	}{
		{"Absent, so missing in every row", r.Absent},
		{"Not in the reference", r.Unknown},
		{"One value only, more in the reference", r.Constant},
	} {
		if len(note.columns) > 0 {
			fmt.Fprintf(&text, "\n%s: %s.\n", note.text, strings.Join(note.columns, ", "))
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}
