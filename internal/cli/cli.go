// Package cli is what the three programs have in common around their commands:
// how they start, stop, log, and what their exit codes mean.
package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Main runs a program's root command until it ends or is told to stop (SIGINT,
// SIGTERM), prints its error, and gives the exit code.
func Main(root *cobra.Command) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", root.Name(), err)
	}
	return ExitCode(err)
}

// ExitCodes documents what ExitCode gives, for help texts.
const ExitCodes = `Exit codes: 0 done, 1 failed, 2 wrong input or usage, 3 not found, 4 somebody else
has it, 5 try again later, 6 stored data is damaged, 7 not allowed.`

// ExitCode tells scripts what kind of failure it was.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	switch errs.KindOf(err) {
	case errs.Invalid:
		return 2
	case errs.NotFound:
		return 3
	case errs.Conflict:
		return 4
	case errs.Unavailable, errs.Exhausted:
		return 5
	case errs.Corrupt:
		return 6
	case errs.Denied:
		return 7
	}
	return 1
}

// Version makes the command that prints the program's name and version.
func Version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), cmd.Root().Name(), version.Version)
			return err
		},
	}
}

// Logger adds the flag --log-level to a command. The function that it returns
// makes the logger, text on standard error, once flags are parsed.
func Logger(cmd *cobra.Command) func() (*slog.Logger, error) {
	level := cmd.Flags().String("log-level", "info", "debug, info, warn or error")
	return func() (*slog.Logger, error) {
		var l slog.Level
		if err := l.UnmarshalText([]byte(*level)); err != nil {
			return nil, errs.E("command line", errs.Invalid, fmt.Errorf("--log-level: %q is not debug, info, warn or error", *level), "")
		}
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: l})), nil
	}
}
