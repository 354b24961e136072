package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/evenkeel/evenkeel/signal"
)

// writeOutcome says what a prediction means and what scores promise.
func writeOutcome(out io.Writer, o *signal.OutcomeBaseline) {
	if o == nil {
		return
	}
	fmt.Fprintf(out, "\nOutcome  %s", o.Output)
	if o.Favourable == nil {
		fmt.Fprint(out, ", predicted as it is: no value was said to be favourable\n")
		return
	}
	fmt.Fprintf(out, ", favourable where %s", favourableText(o.Favourable.Values, o.Favourable.AtLeast))
	if o.Score != "" {
		fmt.Fprintf(out, "; its score is %s", o.Score)
	}
	if c := o.Calibrator; c != nil {
		fmt.Fprintf(out, ", calibrated by %d labelled rows (%d knots, scores %.6g to %.6g)", c.Rows, len(c.Scores), c.Scores[0], c.Scores[len(c.Scores)-1])
	}
	fmt.Fprintln(out)
}

// writeJoint lists what is watched together, and why the inputs are not.
func writeJoint(out io.Writer, b *signal.Baseline, p *plan, windows int) {
	if len(b.Joint) > 0 {
		fmt.Fprintln(out)
		t := newTable(out)
		fmt.Fprintln(t, "TOGETHER\tROLE\tCOLUMNS\tAXES\tROWS\tMISSING\tLIMITS")
		for i := range b.Joint {
			j := &b.Joint[i]
			first := b.Feature(j.Target, j.Slice(0))
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", j.Name, j.Target, len(j.Columns), j.Slices(), first.N-first.Missing, share(first.Missing, first.N), limitsText(j))
		}
		_ = t.Flush() // into a strings.Builder: cannot fail
		writeLimitsHint(out, b, windows)
	}
	if p.notTogether != "" {
		fmt.Fprintf(out, "\nThe numeric inputs are not watched together: %s.\n", p.notTogether)
	}
}

// limitsText lists the limits of a set.
func limitsText(j *signal.JointBaseline) string {
	var list []string
	for _, l := range j.Limits {
		list = append(list, fmt.Sprintf("%s %.3g", l.Method, l.Value))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// enoughWindows is how many a limit is taken from.
const enoughWindows = 19

// writeLimitsHint says for which windows the limits are, or how to get some.
func writeLimitsHint(out io.Writer, b *signal.Baseline, windows int) {
	fewest := uint64(0)
	for _, j := range b.Joint {
		for _, l := range j.Limits {
			if fewest == 0 || l.Rows < fewest {
				fewest = l.Rows
			}
		}
	}
	switch {
	case fewest > 0:
		fmt.Fprintf(out, "Limits are for windows of %d rows or more; one of twenty without a change exceeds each.\n", fewest)
	case windows == 0:
		fmt.Fprintf(out, "Without limits rule DRF-04 has no data. If the rows are in the order of time, --windows N takes them from N windows of these, %d or more.\n", enoughWindows)
	default:
		fmt.Fprintf(out, "Without limits rule DRF-04 has no data: they are taken from %d windows or more, each with enough rows.\n", enoughWindows)
	}
}

// writeWindows says how much the reference's own windows vary.
func writeWindows(out io.Writer, b *signal.Baseline, windows int) {
	if windows == 0 {
		return
	}
	most := &b.Features[0]
	for i := range b.Features {
		if b.Features[i].Deflation > most.Deflation {
			most = &b.Features[i]
		}
	}
	fmt.Fprintf(out, "\nWindows  %d of %d rows or more", windows, b.Rows/uint64(windows))
	if most.Deflation > 0 {
		fmt.Fprintf(out, "; most of all columns, the counts of %s vary %.3g times as much as those of independent rows", most.Name, most.Deflation)
	}
	fmt.Fprintln(out)
}
