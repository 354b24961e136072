package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/demo"
	"github.com/evenkeel/evenkeel/demo/children"
	"github.com/evenkeel/evenkeel/demo/narrate"
)

const demoLong = `Shows the main job in about a minute, with the real programs on this machine: a
model server decides on loan applications, evenkeel-agent stands before it,
evenkeel-collector keeps and judges what the agent measured.

After half a minute two things go wrong, as they do in life: the applicants'
incomes fall, and an update of the model begins to hold being a woman against
them. Nobody tells Evenkeel. It sees the drift (rule DRF-01) and the bias (rule
FAI-02), opens a nonconformity record for each, and hands them to a webhook.

The windows are seconds long where they would be hours in service. Everything
listens on loopback, and all files are in one temporary folder that is removed at
the end; --keep leaves it, with logs and configurations that you can start from.

With --data the same happens to a file of your own: the first half of its rows is
the baseline, the second half is sent as requests, and the model server answers
with the decisions that the file holds.`

const demoExample = `  evenkeel demo
  evenkeel demo --once --json | jq .records
  evenkeel demo --data loans.csv --outcome granted --favourable yes --protected sex`

func newDemo() *cobra.Command {
	o := demo.DefaultOptions()
	var file demo.File
	var portChoice string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Show the whole way on this machine: drift and bias become records",
		Long:    demoLong,
		Example: demoExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demoFlags(cmd, &o, &file, portChoice, asJSON); err != nil {
				return usage(cmd, err)
			}
			o.Out = cmd.OutOrStdout()
			if asJSON {
				o.Out = cmd.ErrOrStderr()
			}
			o.Colour = narrate.Colour(o.Out)
			if err := o.Validate(); err != nil {
				return err
			}
			var err error
			if o.Programs, err = children.BesideExecutable(); err != nil {
				return err
			}
			account, err := demo.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			return printAccount(cmd.OutOrStdout(), account, asJSON)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Once, "once", false, "stop when the first drift record and the first bias record are open")
	f.BoolVar(&asJSON, "json", false, "with --once: print the account as one JSON object, and tell the story on standard error")
	f.DurationVar(&o.Timeout, "timeout", o.Timeout, "with --once: give up this long after the stream's start")
	f.DurationVar(&o.ShiftAfter, "shift-after", o.ShiftAfter, "when incomes fall and the model is replaced, from the stream's start")
	f.DurationVar(&o.Window, "window", o.Window, "length of the agent's windows; the rules judge two at a time")
	f.IntVar(&o.Rate, "rate", o.Rate, "rows a second")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "of the applicants: the same seed, the same people")
	f.StringVar(&portChoice, "ports", "default", "default: 42001, 4317, 4318, 9001 and 9464; auto: whichever are free")
	f.BoolVar(&o.Keep, "keep", false, "leave the folder with logs and configurations in place")
	f.StringVar(&o.Engine, "engine", "", "the embedded ClickHouse's libchdb.so (default: where make setup put it)")
	f.StringVar(&file.Path, "data", "", "CSV file to stream in place of the applicants; its columns are the model's inputs")
	f.StringVar(&file.Outcome, "outcome", "", "with --data: column of the model's decision")
	f.StringSliceVar(&file.Favourable, "favourable", nil, "with --data: values of the outcome that are favourable to the person")
	f.StringVar(&file.Protected, "protected", "", "with --data: column whose groups are compared")
	f.StringVar(&file.Reference, "reference", "", "with --data: the group to compare with (default: the largest)")
	return cmd
}

// demoFlags settles what the flags mean together.
func demoFlags(cmd *cobra.Command, o *demo.Options, file *demo.File, portChoice string, asJSON bool) error {
	switch portChoice {
	case "default":
	case "auto":
		o.FreePorts = true
	default:
		return fmt.Errorf("--ports %q: want default or auto", portChoice)
	}
	if asJSON && !o.Once {
		return fmt.Errorf("--json: an account needs an end; add --once")
	}
	if file.Path != "" {
		if cmd.Flags().Changed("shift-after") {
			return fmt.Errorf("--shift-after: the data of --data is the story; nothing is shifted")
		}
		o.Data = file
		return nil
	}
	for _, name := range []string{"outcome", "favourable", "protected", "reference"} {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s says what a file's columns mean; add --data FILE", name)
		}
	}
	return nil
}

func printAccount(out io.Writer, account *demo.Account, asJSON bool) error {
	if !asJSON {
		return nil
	}
	raw, err := json.MarshalIndent(account, "", "  ")
	if err != nil {
		return fmt.Errorf("print the account: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", raw)
	return err
}
