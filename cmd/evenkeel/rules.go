package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// newRules is `rules`.
func newRules() *cobra.Command {
	return newGroup("rules", "Check rules, and approve what they require", newRulesCheck(), newRulesApprove())
}

// newRulesCheck is `rules check`.
func newRulesCheck() *cobra.Command {
	var options rules.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check [FILES...]", Short: "Check the shipped packs, rule files and overrides",
		Long: `Load the shipped packs and the rule files given, parse every expression, and
print what is monitored, how, when and by whom. A rule that leaves out what
clause 9.1 asks for is a fault; every fault is reported with file, line and path.`,
		Example: "  evenkeel rules check\n  evenkeel rules check own.yaml --overrides overrides.yaml",
		RunE: func(cmd *cobra.Command, files []string) error {
			options.Files = files
			options.Expression = query.Check
			return checkRules(cmd.OutOrStdout(), options, asJSON)
		},
	}
	cmd.Flags().StringVar(&options.Overrides, "overrides", "", "file of changes per system")
	cmd.Flags().StringSliceVar(&options.Packs, "pack", nil, "shipped pack to load (default all: "+strings.Join(rules.Shipped(), ", ")+")")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkedRule is one line of the answer: a rule as it holds for a system, or
// for every system without overrides.
type checkedRule struct {
	System     signal.SystemID `json:"system,omitempty"`
	Overridden []string        `json:"overridden,omitempty"`
	Digest     signal.Digest   `json:"digest"`
	Rule       rules.Rule      `json:"rule"`
}

func checkRules(w io.Writer, options rules.Options, asJSON bool) error {
	set, err := rules.Load(options)
	var faults rules.Faults
	if err != nil && !(asJSON && errors.As(err, &faults)) {
		return err
	}
	var checked []checkedRule
	if set != nil {
		checked = listRules(set)
	}
	if !asJSON {
		return printRules(w, checked)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // limits are written with < and >
	out.SetIndent("", "  ")
	return errors.Join(out.Encode(struct {
		Rules  []checkedRule `json:"rules"`
		Faults rules.Faults  `json:"faults"`
	}{append([]checkedRule{}, checked...), append(rules.Faults{}, faults...)}), err)
}

// listRules gives every rule, and below it where a system has its own.
func listRules(set *rules.Set) []checkedRule {
	var out []checkedRule
	for _, r := range set.For("") {
		out = append(out, checkedRule{Digest: r.Digest, Rule: r.Rule})
		for _, system := range set.Overridden() {
			if own := set.Rule(system, r.ID); len(own.Overridden) > 0 {
				out = append(out, checkedRule{System: system, Overridden: own.Overridden, Digest: own.Digest, Rule: own.Rule})
			}
		}
	}
	return out
}

func printRules(w io.Writer, list []checkedRule) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tWHAT\tHOW\tWHEN\tWHO\tFAIL\tWARN")
	own := 0
	for _, c := range list {
		r := &c.Rule
		what := r.Title
		if c.System != "" {
			own++
			what = "  for " + string(c.System)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, what, how(r), r.When(),
			r.Responsible.Analyse+", "+r.Responsible.Evaluate, limitFor(r), cmp.Or(r.Warn.String(), "-"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s and %s, no fault.\n", counted(len(list)-own, "rule"), counted(own, "override"))
	return err
}

// how says in short how a rule measures and decides.
func how(r *rules.Rule) string {
	text := strings.ReplaceAll(r.Method.Statistic, "_", " ")
	if r.Method.MinSamples > 0 {
		text += fmt.Sprintf(", %d samples", r.Method.MinSamples)
	}
	return text + ", " + string(r.Decide)
}

func limitFor(r *rules.Rule) string {
	if span := r.For.String(); span != "" {
		return r.Fail.String() + " for " + span
	}
	return r.Fail.String()
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
