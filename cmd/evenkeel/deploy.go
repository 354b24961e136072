package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// newDeploy is `evenkeel deploy`.
func newDeploy() *cobra.Command {
	return newGroup("deploy", "What people approved to be in service", newDeployApprove(), newDeployList(), newDeployWithdraw())
}

// newDeployApprove is `deploy approve`.
func newDeployApprove() *cobra.Command {
	server := &serverFlags{}
	var body struct {
		System  string            `json:"system"`
		Model   string            `json:"model"`
		Version string            `json:"version"`
		Digests map[string]string `json:"digests"`
		By      string            `json:"by"`
		Basis   string            `json:"basis"`
	}
	var asJSON bool
	cmd := &cobra.Command{
		Use: "approve", Short: "Approve a version, or what stands behind answers, to be in service", Args: cobra.NoArgs,
		Long: `Approve what may be in service: a version of a model, the digests of what stands behind
its answers, or both. What is served and nobody approved fails LIN-02, and a change to it
LIN-03. Who approved, when, and on what basis is kept for good.`,
		Example: "  evenkeel deploy approve --system loan-approval --model loans --version 2 --digest model=sha256:6f… --by ai-risk-owner --basis 'change 118'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if body.By == "" {
				return errs.E("approve", errs.Invalid, errNoName, "name yourself with --by")
			}
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodPost, "/api/v1/deployments", body, &raw); err != nil {
				return err
			}
			return showDeployment(cmd, raw, asJSON)
		},
	}
	server.register(cmd)
	f := cmd.Flags()
	f.StringVar(&body.System, "system", "", "the AI `system` (required)")
	f.StringVar(&body.Model, "model", "", "the model's `name` (required)")
	f.StringVar(&body.Version, "version", "", "the model's `version`")
	f.StringToStringVar(&body.Digests, "digest", nil, "`part=digest`: model, index, prompt or transform; again for more")
	f.StringVar(&body.By, "by", loginName(), "who approves")
	f.StringVar(&body.Basis, "basis", "", "on what the approval rests (required)")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"system", "model", "basis"} {
		_ = cmd.MarkFlagRequired(name) // the flags exist: they stand above
	}
	return cmd
}

// newDeployWithdraw is `deploy withdraw`.
func newDeployWithdraw() *cobra.Command {
	server := &serverFlags{}
	body := map[string]string{}
	var by, basis string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "withdraw ID", Short: "Take an approval back", Args: cobra.ExactArgs(1),
		Example: "  evenkeel deploy withdraw 0b8e4f52-… --by ai-risk-owner --basis 'incident 31'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				return errs.E("withdraw", errs.Invalid, errNoName, "name yourself with --by")
			}
			body["by"], body["basis"] = by, basis
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodPost, "/api/v1/deployments/"+url.PathEscape(args[0])+"/withdraw", body, &raw); err != nil {
				return err
			}
			return showDeployment(cmd, raw, asJSON)
		},
	}
	server.register(cmd)
	cmd.Flags().StringVar(&by, "by", loginName(), "who withdraws it")
	cmd.Flags().StringVar(&basis, "basis", "", "why (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("basis") // the flag exists: it stands above
	return cmd
}

func showDeployment(cmd *cobra.Command, raw json.RawMessage, asJSON bool) error {
	return showAnswer(cmd, raw, asJSON, func(cmd *cobra.Command, a *struct{ Deployment model.Deployment }) error {
		d := &a.Deployment
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s of %s is %s: %s, by %s, basis: %s\nID %s\n", d.Model, d.System, d.State, deployed(d), d.By.ID, d.Basis, d.ID)
		return err
	})
}

// deployed says what a deployment names.
func deployed(d *model.Deployment) string {
	var parts []string
	if d.Version != "" {
		parts = append(parts, "version "+d.Version)
	}
	for _, part := range slices.Sorted(maps.Keys(d.Digests)) {
		parts = append(parts, part+" "+d.Digests[part])
	}
	return strings.Join(parts, ", ")
}

// newDeployList is `deploy list`.
func newDeployList() *cobra.Command {
	server := &serverFlags{}
	var system, name, state string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List what was approved to be in service", Args: cobra.NoArgs,
		Example: "  evenkeel deploy list --system loan-approval --state approved",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"system": {system}, "model": {name}, "state": {state}}
			return answerTo(cmd, server, "/api/v1/deployments?"+query.Encode(), asJSON, func(cmd *cobra.Command, a *struct {
				Deployments []model.DeploymentHistory
			},
			) error {
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
				_, _ = fmt.Fprintln(table, "ID\tSYSTEM\tMODEL\tNAMES\tSTATE\tSINCE (UTC)\tBY\tBASIS") // kept until Flush
				for i := range a.Deployments {
					d := &a.Deployments[i]
					_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.System, d.Model, deployed(&d.Deployment), d.State, clock(d.At), d.By.ID, d.Basis)
				}
				return table.Flush()
			})
		},
	}
	server.register(cmd)
	cmd.Flags().StringVar(&system, "system", "", "only those of this AI system")
	cmd.Flags().StringVar(&name, "model", "", "only those of this model")
	cmd.Flags().StringVar(&state, "state", "", "approved or withdrawn")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
