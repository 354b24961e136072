package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// newBaselinePush is `baseline push`.
func newBaselinePush() *cobra.Command {
	server := &serverFlags{}
	var system, name, version string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "push FILE", Short: "Put a baseline into the collector's register", Args: cobra.ExactArgs(1),
		Long: `Put a baseline into the collector's register, where agents fetch it by its digest
and people approve it. An agent that has the file declares it by itself.`,
		Example: "  evenkeel baseline push baseline.json --system loan-approval",
		RunE: func(cmd *cobra.Command, args []string) error {
			content, err := os.ReadFile(args[0])
			if err == nil {
				_, err = signal.ParseBaseline(content)
			}
			if err != nil {
				return errs.E("read baseline", errs.Invalid, err, "evenkeel baseline build makes one")
			}
			query := url.Values{"system": {system}, "model": {name}, "version": {version}}
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodPost, "/api/v1/baselines?"+query.Encode(), json.RawMessage(content), &raw); err != nil {
				return err
			}
			return showAnswer(cmd, raw, asJSON, func(cmd *cobra.Command, a *struct{ Baseline model.BaselineEntry }) error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is %s for %s of %s\n", a.Baseline.Digest, a.Baseline.State, a.Baseline.Model, a.Baseline.System)
				return err
			})
		},
	}
	server.register(cmd)
	cmd.Flags().StringVar(&system, "system", "", "the AI `system` whose model it is for (required)")
	cmd.Flags().StringVar(&name, "model", "", "the model's `name`; otherwise the baseline's own")
	cmd.Flags().StringVar(&version, "version", "", "the model's `version`, with --model")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("system") // the flag exists: it stands above
	return cmd
}

// newBaselineList is `baseline list`.
func newBaselineList() *cobra.Command {
	server := &serverFlags{}
	var system, name, state string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the baselines that agents declared or people pushed", Args: cobra.NoArgs,
		Example: "  evenkeel baseline list --state proposed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"system": {system}, "model": {name}, "state": {state}}
			return answerTo(cmd, server, "/api/v1/baselines?"+query.Encode(), asJSON, func(cmd *cobra.Command, a *struct{ Baselines []model.BaselineEntry }) error {
				return printBaselines(cmd, a.Baselines)
			})
		},
	}
	server.register(cmd)
	cmd.Flags().StringVar(&system, "system", "", "only those of this AI system")
	cmd.Flags().StringVar(&name, "model", "", "only those of this model")
	cmd.Flags().StringVar(&state, "state", "", "proposed, approved or withdrawn")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// newBaselineShow is `baseline show`.
func newBaselineShow() *cobra.Command {
	server := &serverFlags{}
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show DIGEST", Short: "Show for what a baseline was declared and what was decided about it", Args: cobra.ExactArgs(1),
		Example: "  evenkeel baseline show b828037c1266",
		RunE: func(cmd *cobra.Command, args []string) error {
			return answerTo(cmd, server, baselinePath(args[0])+"/registration", asJSON, func(cmd *cobra.Command, a *model.BaselineRegistration) error {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), a.Digest); err != nil {
					return err
				}
				if err := printBaselines(cmd, a.Entries); err != nil || len(a.Decisions) == 0 {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				_, _ = fmt.Fprintln(table, "\nTIME (UTC)\tDECISION\tSYSTEM\tMODEL\tBY\tBASIS") // kept until Flush
				for _, d := range a.Decisions {
					_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", clock(d.At), d.State, d.System, d.Model, d.By.ID, d.Basis)
				}
				return table.Flush()
			})
		},
	}
	server.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// decideCommand is what approve and withdraw say of themselves.
type decideCommand struct{ use, short, long, example string }

// newBaselineDecide is `baseline approve` and `baseline withdraw`.
func newBaselineDecide(d decideCommand) *cobra.Command {
	server := &serverFlags{}
	body := map[string]string{}
	var by, basis, system, name string
	var asJSON bool
	cmd := &cobra.Command{
		Use: d.use + " DIGEST", Short: d.short, Long: d.long, Example: d.example, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				return errs.E(d.use, errs.Invalid, errNoName, "name yourself with --by")
			}
			body["by"], body["basis"], body["system"], body["model"] = by, basis, system, name
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodPost, baselinePath(args[0])+"/"+d.use, body, &raw); err != nil {
				return err
			}
			return showAnswer(cmd, raw, asJSON, func(cmd *cobra.Command, a *struct{ Decision model.BaselineDecision }) error {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is %s for %s of %s: by %s, basis: %s\n",
					a.Decision.Digest.Short(), a.Decision.State, a.Decision.Model, a.Decision.System, a.Decision.By.ID, a.Decision.Basis)
				return err
			})
		},
	}
	server.register(cmd)
	cmd.Flags().StringVar(&by, "by", loginName(), "who decides")
	cmd.Flags().StringVar(&basis, "basis", "", "on what the decision rests (required)")
	cmd.Flags().StringVar(&system, "system", "", "the AI system, where it was declared for several")
	cmd.Flags().StringVar(&name, "model", "", "the model, where it was declared for several")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("basis") // the flag exists: it stands above
	return cmd
}

var approveBaseline = decideCommand{
	use: "approve", short: "Approve a baseline as the reference of a model",
	long: `Approve a baseline as the reference of a model, for all of its versions. Who approved,
when, and on what basis is kept for good; from then on its age counts.`,
	example: "  evenkeel baseline approve b828037c1266 --by ai-risk-owner --basis 'validation report 12'",
}

var withdrawBaseline = decideCommand{
	use: "withdraw", short: "Withdraw a baseline: it must not be the reference any more",
	long: `Withdraw a baseline. Agents that use it go on, and what they are compared with
counts as not approved. It can be approved again.`,
	example: "  evenkeel baseline withdraw b828037c1266 --by ai-risk-owner --basis 'taken before the new form'",
}

func baselinePath(digest string) string { return "/api/v1/baselines/" + url.PathEscape(digest) }

// printBaselines writes a table for people.
func printBaselines(cmd *cobra.Command, all []model.BaselineEntry) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "no baselines")
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "DIGEST\tSTATE\tSYSTEM\tMODEL\tROWS\tFEATURES\tDECIDED BY\tSEEN (UTC)\tSOURCE") // kept until Flush
	for i := range all {
		b := &all[i]
		by := "-"
		if b.Decision != nil {
			by = b.Decision.By.ID
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n",
			b.Digest.Short(), b.State, b.System, strings.TrimSpace(b.Model.String()), b.Rows, b.Features, by, clock(b.SeenAt), b.Source)
	}
	return table.Flush()
}
