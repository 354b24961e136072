package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/evenkeel/evenkeel/collector/compare"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// printComparison writes, for every column, a sentence and its scores.
func printComparison(out io.Writer, raw []byte) error {
	var found compare.Result
	if err := json.Unmarshal(raw, &found); err != nil {
		return errs.E("read the answer", errs.Other, err, "is this the collector's API port?")
	}
	fmt.Fprintf(out, "%s of %s: %s\nheld against %s\n", found.Model, found.System, found.Current, found.Against)
	for i := range found.Columns {
		if err := printComparedColumn(out, &found.Columns[i]); err != nil {
			return err
		}
	}
	for _, s := range found.Skipped {
		fmt.Fprintf(out, "\n%s (%s) is not compared: %s\n", s.Feature, s.Target, s.Reason)
	}
	return nil
}

func printComparedColumn(out io.Writer, c *compare.Column) error {
	fmt.Fprintf(out, "\n%s (%s, %s), %d rows against %d", c.Feature, c.Target, c.Kind, c.Current.Rows, c.Against.Rows)
	if c.Rebinned {
		fmt.Fprint(out, ", in the coarser of two sets of cells")
	}
	if lost := c.Current.Dropped + c.Against.Dropped; lost > 0 {
		fmt.Fprintf(out, "; %d requests were lost before they were counted", lost)
	}
	fmt.Fprintf(out, "\n%s\n", c.Explanation)
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "METHOD\tVALUE\tINTERVAL\tSAMPLES\tP ADJUSTED\tCONVENTION")
	for _, s := range c.Scores {
		p := ""
		if s.PAdjusted != nil {
			p = fmt.Sprintf("%.3g", *s.PAdjusted)
		}
		fmt.Fprintf(table, "%s\t%.4f\t%s\t%d\t%s\t%s\n", s.Method, s.Value, interval(s.Lower, s.Upper), s.Samples, p, s.Convention)
	}
	return table.Flush()
}

// interval writes what is known of one; an end that is not known is left open.
func interval(lower, upper *float64) string {
	if lower == nil && upper == nil {
		return ""
	}
	end := func(v *float64) string {
		if v == nil {
			return ""
		}
		return fmt.Sprintf("%.4f", *v)
	}
	return strings.Join([]string{end(lower), end(upper)}, "..")
}
