package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// newNC is the group of commands about nonconformity records.
func newNC() *cobra.Command {
	flags := &serverFlags{}
	group := newGroup("nc", "Show and acknowledge nonconformity records",
		newNCList(flags), newNCShow(flags), newNCAck(flags))
	flags.register(group)
	return group
}

func newNCList(server *serverFlags) *cobra.Command {
	var asJSON, all bool
	filters := []struct{ name, value, help string }{
		{name: "state", help: "only records in this state, for example open"},
		{name: "kind", help: "nonconformity or observation"},
		{name: "rule", help: "only records of this rule, for example DRF-01"},
		{name: "system", help: "only records of this AI system"},
		{name: "condition", help: "failing, cleared or no_data"},
	}
	cmd := &cobra.Command{
		Use: "list", Short: "List records, newest first", Args: cobra.NoArgs,
		Example: "  evenkeel nc list --condition failing\n  evenkeel nc list --all --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			for _, f := range filters {
				if f.value != "" {
					query.Set(f.name, f.value)
				}
			}
			if query.Get("state") == "" && !all {
				query.Set("state", model.AnyOpen)
			}
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodGet, "/api/v1/nonconformities?"+query.Encode(), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			return printRecords(cmd.OutOrStdout(), raw)
		},
	}
	for i := range filters {
		cmd.Flags().StringVar(&filters[i].value, filters[i].name, "", filters[i].help)
	}
	cmd.Flags().BoolVar(&all, "all", false, "also records that are closed or void")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newNCShow(server *serverFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show REF", Short: "Show one record and its history", Args: cobra.ExactArgs(1),
		Example: "  evenkeel nc show NC-2026-00001",
		RunE: func(cmd *cobra.Command, args []string) error {
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodGet, recordPath(args[0]), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			return printRecord(cmd.OutOrStdout(), raw)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newNCAck(server *serverFlags) *cobra.Command {
	var by, note string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "ack REF", Short: "Acknowledge a record: you know of it from now on", Args: cobra.ExactArgs(1),
		Long: `Acknowledge a record. The first acknowledgement sets the time from which
deadlines run; it does not change the record's state.`,
		Example: "  evenkeel nc ack NC-2026-00001 --note 'looking at the income feed'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				return errs.E("acknowledge", errs.Invalid, errNoName, "name yourself with --by")
			}
			body := map[string]string{"by": by, "note": note}
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodPost, recordPath(args[0])+"/acknowledge", body, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			return printAcknowledged(cmd.OutOrStdout(), raw)
		},
	}
	cmd.Flags().StringVar(&by, "by", loginName(), "who acknowledges")
	cmd.Flags().StringVar(&note, "note", "", "a remark that is kept with it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func recordPath(name string) string { return "/api/v1/nonconformities/" + url.PathEscape(name) }

// loginName is the default for who acts; empty where it cannot be told.
func loginName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
