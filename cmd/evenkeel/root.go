package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/cli"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/nearest"
)

// newRoot wires every command. A command of its own file is added here, in the
// order in which somebody new would meet it.
func newRoot() *cobra.Command {
	root := newGroup("evenkeel", "See drift and bias of models in service, and what was done about it")
	root.Long = `Evenkeel watches models in service for drift and bias, judges what it measures
by rules that carry ISO/IEC 42001, and opens a record when a requirement is not met.

Start here:
  evenkeel demo               the whole way on this machine, in one command
  evenkeel baseline build     what a model's windows will be compared with
  evenkeel measure drift      what has changed between two files

` + cli.ExitCodes
	root.AddCommand(
		newDemo(),
		newBaseline(),
		newMeasure(),
		newCompare(),
		newLabels(),
		newLineage(),
		newRules(),
		newDeploy(),
		newNC(),
		cli.Version(),
	)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	return root
}

// newGroup makes a command that only holds others: without arguments it shows
// its help, and a word that is none of its commands is an error.
func newGroup(use, short string, children ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, DisableFlagsInUseLine: true}
	group.AddCommand(children...)
	group.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		var known []string
		for _, c := range cmd.Commands() {
			known = append(known, c.Name())
		}
		err := fmt.Errorf("unknown command %q", args[0])
		if near := nearest.Name(args[0], known); near != "" {
			err = fmt.Errorf("%w; did you mean %q?", err, near)
		}
		return usage(cmd, err)
	}
	return group
}

// usage is an error in how a command was called.
func usage(cmd *cobra.Command, err error) error {
	return errs.E("command line", errs.Invalid, err, "see "+cmd.CommandPath()+" --help")
}
