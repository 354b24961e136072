package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// kindOf says what a node is, to people.
func kindOf(n *lineage.Node) string {
	return strings.TrimSpace(n.Role + " " + string(n.Kind))
}

// printGraph writes the nodes by their distance.
func printGraph(cmd *cobra.Command, g *lineage.Graph) error {
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "STEPS\tKIND\tNODE") // kept until Flush
	for i := range g.Nodes {
		n := &g.Nodes[i]
		_, _ = fmt.Fprintf(table, "%d\t%s\t%s\n", n.Depth, kindOf(n), n.ID)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if g.Truncated {
		_, err := fmt.Fprintln(cmd.ErrOrStderr(), "there is more: ask with a greater --depth, or from a node further on")
		return err
	}
	return nil
}

// printNode writes a node, what touches it, and its events without their JSON.
func printNode(cmd *cobra.Command, d *lineage.Detail) error {
	out := cmd.OutOrStdout()
	if _, err := fmt.Fprintf(out, "%s  %s\n", d.Node.ID, kindOf(&d.Node)); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\nRELATION\tFROM\tTO\tSEEN (UTC)") // kept until Flush
	for _, e := range d.Edges {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.Relation, e.From, e.To, clock(e.SeenAt))
	}
	_, _ = fmt.Fprintln(table, "\nTIME (UTC)\tEVENT\tRUN\tSYSTEM")
	for _, e := range d.Events {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", clock(e.Time), strings.TrimSpace(e.Kind+" "+e.Type), e.Run, e.System)
	}
	return table.Flush()
}

// originsAnswer is what stood behind the answers to a request.
type originsAnswer struct{ Predictions []origin }

// origin is a lineage.Origin with what the register of baselines adds.
type origin struct {
	lineage.Origin
	BaselineState string `json:"baseline_state"`
}

func printOrigins(cmd *cobra.Command, a *originsAnswer) error {
	for i := range a.Predictions {
		if err := printOrigin(cmd.OutOrStdout(), &a.Predictions[i]); err != nil {
			return err
		}
	}
	return nil
}

func printOrigin(w io.Writer, o *origin) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line := func(name, text string) {
		if text != "" {
			_, _ = fmt.Fprintf(table, "%s\t%s\n", name, text) // kept until Flush
		}
	}
	line("Prediction", signalID(o.ID, o.Row)+"  "+o.Value)
	line("Made", clock(o.Time)+" by "+string(o.Instance))
	line("System", string(o.System))
	line("Model", o.ModelNode)
	line("Run", o.Run)
	line("Declared run", o.DeclaredRun)
	for _, d := range o.Digests {
		line("Digest", d.Part.String()+"  "+d.Digest)
	}
	if o.Baseline != "" {
		line("Baseline", string(o.Baseline)+"  "+cmp.Or(o.BaselineState, "not in the register"))
	}
	for _, window := range o.Windows {
		line("Window", fmt.Sprintf("%s, %s to %s", window.ID, clock(window.Start), clock(window.End)))
	}
	for i := range o.TrainingData {
		line("Made from", o.TrainingData[i].ID)
	}
	for _, unknown := range o.Unknown {
		line("Not known", unknown)
	}
	return table.Flush()
}

// signalID names a row of a request as labels do.
func signalID(id string, row uint32) string { return id + "#" + strconv.FormatUint(uint64(row), 10) }

// sent is what became of a file of events.
type sent struct {
	Accepted, Refused int
	Errors            []struct{ At, Message string }
}

func printSent(cmd *cobra.Command, a *sent) error {
	for _, e := range a.Errors {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", e.At, e.Message) // counted below all the same
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "Events accepted: %d, refused: %d\n", a.Accepted, a.Refused); err != nil {
		return err
	}
	if a.Refused > 0 {
		return errs.E("send events", errs.Invalid, fmt.Errorf("%d are no OpenLineage events", a.Refused), "correct them and send the file again")
	}
	return nil
}
