package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// summarise tells a person what was built from what.
func summarise(out io.Writer, b *signal.Baseline, p *plan, o buildOptions) error {
	digest, err := b.Digest()
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "Baseline of %s from %d rows of %s\n\n", b.Model, b.Rows, o.input.path)
	writeColumns(&text, b, p)
	for _, g := range b.Groups {
		text.WriteByte('\n')
		writeGroups(&text, &g, o.schema)
	}
	writeOutcome(&text, b.Outcome)
	writeJoint(&text, b, p, o.schema.Windows)
	writeWindows(&text, b, o.schema.Windows)
	writeLeftOut(&text, p)
	writeFewRows(&text, b.Rows)
	fmt.Fprintf(&text, "\nDigest   %s\nWritten  %s\n", digest, o.output)
	_, err = io.WriteString(out, text.String())
	return err
}

func newTable(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 3, ' ', 0) }

func writeColumns(out io.Writer, b *signal.Baseline, p *plan) {
	t := newTable(out)
	fmt.Fprintln(t, "COLUMN\tROLE\tKIND\tCELLS\tMISSING\tHOLDS")
	for _, c := range p.columns {
		f := b.Feature(c.target, signal.FeatureName(c.Name))
		if c.target == "" || f == nil {
			continue
		}
		writeColumn(t, f, c.role(), c.Distinct)
	}
	for i := range b.Features {
		if f := &b.Features[i]; f.Target == signal.TargetText {
			writeColumn(t, f, "text", 0)
		}
	}
	_ = t.Flush() // into a strings.Builder: cannot fail
}

func writeColumn(out io.Writer, f *signal.FeatureBaseline, role string, distinct int) {
	fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\t%s\n", f.Name, role, f.Kind, len(f.Counts), share(f.Missing, f.N), holds(f, distinct))
}

func (c *plannedColumn) role() string {
	role := string(c.target)
	if c.outcome {
		role = "outcome"
	}
	if c.protected {
		role += ", protected"
	}
	return role
}

// holds describes a column's values in a few words.
func holds(f *signal.FeatureBaseline, distinct int) string {
	if f.Kind == signal.Numeric {
		if distinct == 1 {
			return fmt.Sprintf("always %.6g: any other value will be drift", f.Min)
		}
		return fmt.Sprintf("%.6g to %.6g", f.Min, f.Max)
	}
	if f.Target == signal.TargetText && strings.HasSuffix(string(f.Name), "."+signal.TextTrigrams) {
		return fmt.Sprintf("%d trigrams, hashed", f.N)
	}
	const most = 4
	list := strings.Join(f.Categories[:min(most, len(f.Categories))], ", ")
	if len(f.Categories) > most {
		list += ", ..."
	}
	switch {
	case f.Other > 0:
		list += fmt.Sprintf("; %d kept, the rest (other) with %s", len(f.Categories), share(f.Other, f.N))
	case len(f.Categories) == 1:
		list = fmt.Sprintf("always %s: any other value will be drift", list)
	}
	return list
}

func writeGroups(out io.Writer, g *signal.GroupBaseline, s schema) {
	t, o := newTable(out), s.Outcome
	when := favourableText(o.Favourable.Values, o.Favourable.AtLeast)
	fmt.Fprintf(t, "%s\tROWS\tFAVOURABLE (%s is %s)\n", strings.ToUpper(string(g.Attribute)), o.Output, when)
	for _, c := range g.Counts {
		name := c.Group
		if name == g.Reference {
			name += " (reference)"
		}
		fmt.Fprintf(t, "%s\t%d\t%s\n", name, c.Total, share(c.Favourable, c.Total))
	}
	_ = t.Flush() // into a strings.Builder: cannot fail

	// That of an intersection follows from its attributes.
	if !g.Declared && s.protects(string(g.Attribute)) {
		fmt.Fprintf(out, "No reference group was named, so the largest is taken: --reference %s=GROUP\n", g.Attribute)
	}
}

// favourableText says which outcomes are favourable.
func favourableText(values []string, atLeast *float64) string {
	switch {
	case atLeast != nil:
		return fmt.Sprintf("at least %v", *atLeast)
	case len(values) == 1:
		return values[0]
	}
	return "one of " + strings.Join(values, ", ")
}

func writeLeftOut(out io.Writer, p *plan) {
	var left []string
	for _, c := range p.columns {
		if c.leftOut != "" && c.leftOut != "not named" && c.leftOut != "excluded" {
			left = append(left, fmt.Sprintf("%s (%s)", c.Name, c.leftOut))
		}
	}
	if len(left) > 0 {
		fmt.Fprintf(out, "\nLeft out: %s. Name them in --features to watch them.\n", strings.Join(left, ", "))
	}
}

// noisy is the PSI from which on a rule usually warns.
const noisy = 0.1

// writeFewRows warns of a reference so small that a window of the same size
// would pass the usual limit by chance, on PSI's ten cells of equal mass.
func writeFewRows(out io.Writer, rows uint64) {
	cells := slices.Repeat([]uint64{rows / 10}, 10)
	if critical, err := measure.PSICritical(cells, cells); err != nil || critical > noisy {
		fmt.Fprintf(out, "\nFew rows: in one window of twenty of this size chance alone makes a PSI beyond %v.\n", noisy)
	}
}

func share(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}
