package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/model"
)

// newRulesApprove is `rules approve`.
func newRulesApprove() *cobra.Command {
	server := &serverFlags{}
	var system, by, basis string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "approve RULE", Short: "Make a rule's limit a requirement for one system", Args: cobra.ExactArgs(1),
		Long: `Approve a criterion. A limit that is breached is a nonconformity only if it was a
requirement: until somebody approves it for a system, a fail opens an observation.
Who approved, when, and on what basis is kept for good.`,
		Example: "  evenkeel rules approve DRF-01 --system loan-approval --by ai-risk-owner --basis 'AI policy 4.2'",
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]string{"rule": args[0], "system": system, "by": by, "basis": basis}
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodPost, "/api/v1/criteria", body, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			var answer struct{ Criterion model.Criterion }
			if err := json.Unmarshal(raw, &answer); err != nil {
				return fmt.Errorf("read answer: %w", err)
			}
			c := answer.Criterion
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is a requirement for %s: approved by %s, basis: %s\n", c.Rule, c.System, c.ApprovedBy.ID, c.Basis)
			return err
		},
	}
	server.register(cmd)
	cmd.Flags().StringVar(&system, "system", "", "the AI system for which it holds")
	cmd.Flags().StringVar(&by, "by", loginName(), "who approves")
	cmd.Flags().StringVar(&basis, "basis", "", "on what the requirement rests")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"system", "basis"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it stands above
	}
	return cmd
}
