package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/tabular"
)

// newLabels is the group of commands about how predictions turned out.
func newLabels() *cobra.Command {
	return newGroup("labels", "Tell the collector how predictions turned out", newLabelsSend())
}

const labelsSendLong = `Send a file of labels to the collector, which joins them with the predictions that
agents report: from them follow realised performance and error rates by group.

A row says how one prediction turned out: the id of its request, the row where the
request had several (or ID#ROW as the id), the label as the model's output would
say it, when it became known (RFC 3339; without a time, now), and who says so. Other
columns are not sent.

A row that is no label is named and the others are taken. It does no harm to send
a file again: of several labels of a prediction the one that became known last
holds.`

// labelFields are the fields of a label, each with the flag that names its
// column.
var labelFields = []struct{ name, flag, help string }{
	{"id", "id-column", "`column` of the request's id"},
	{"row", "row-column", "`column` of the row within the request, from 0"},
	{"label", "label-column", "`column` of how it turned out"},
	{"time", "time-column", "`column` of when it became known"},
	{"source", "source-column", "`column` of who says so"},
}

func newLabelsSend() *cobra.Command {
	s := &labelSender{server: &serverFlags{}, columns: make([]string, len(labelFields))}
	in := input{flag: "file"}
	var asJSON bool
	cmd := &cobra.Command{
		Use: "send", Short: "Send a file of labels", Long: labelsSendLong, Args: cobra.NoArgs,
		Example: `  evenkeel labels send --file labels.csv --system loan-approval
  evenkeel labels send --file loans.parquet --system loan-approval --id-column request --label-column repaid`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := openInput(cmd.Context(), in, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer file.close()
			file.bar.of = 1
			s.file = file
			_, err = pass(file, func(r *tabular.Reader, progress tabular.Progress) (int, error) {
				return s.answer.Accepted, s.send(cmd.Context(), r, progress)
			})
			file.bar.clear()
			if printed := s.print(cmd.OutOrStdout(), cmd.ErrOrStderr(), asJSON); err == nil {
				err = printed
			}
			return err
		},
	}
	s.server.register(cmd)
	f := cmd.Flags()
	f.StringVarP(&in.path, "file", "f", "", "`file` of labels (required)")
	f.StringVar(&in.format, "format", "", formatUsage)
	f.StringVar(&s.system, "system", "", "the AI `system` that predicted (required)")
	for i, field := range labelFields {
		f.StringVar(&s.columns[i], field.flag, field.name, field.help)
	}
	f.BoolVar(&asJSON, "json", false, "print JSON")
	for _, name := range []string{"file", "system"} {
		_ = cmd.MarkFlagRequired(name) // the flag exists: it stands above
	}
	return cmd
}

// labelColumns gives for each field where its column stands; -1: nowhere.
func labelColumns(header, columns []string) []int {
	at := make([]int, len(columns))
	for i, column := range columns {
		at[i] = -1
		for j, name := range header {
			if strings.TrimSpace(name) == column {
				at[i] = j
			}
		}
	}
	return at
}
