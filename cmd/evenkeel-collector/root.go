package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/internal/cli"
	"github.com/evenkeel/evenkeel/internal/version"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "evenkeel-collector",
		Short: "Keep what the agents measured, judge it, open nonconformity records",
		Long: `evenkeel-collector receives OpenTelemetry signals from evenkeel-agent (and any
other sender), keeps them in ClickHouse, judges every closed window by the rules,
and opens a nonconformity record when a requirement is not met.

Without clickhouse.addr in its configuration it starts an embedded ClickHouse of
its own. Everything listens on loopback until auth.token_file and tls are set.`,
		Version: version.Version,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(newRun(), newValidate(), newMigrate(), newDoctor(), cli.Version())
	return root
}

func newRun() *cobra.Command {
	cmd := newService("run", "Run until interrupted", collector.Run)
	cmd.Example = "  evenkeel-collector run --config collector.yaml"
	return cmd
}

func newMigrate() *cobra.Command {
	return newService("migrate", "Bring the tables up to this version, then leave", collector.Migrate)
}

func newDoctor() *cobra.Command {
	var path string
	var logger func() (*slog.Logger, error)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong with configuration, disk, spool, engine, schema and clock, and what cures it",
		Long: `doctor looks at everything that a collector needs, one part after the other, and
prints a line for each: ok, warn or fail, what it found, and what cures it. It
may run beside a collector and changes nothing in the store.

It leaves with 0 if nothing fails, with 1 otherwise.`,
		Example: "  evenkeel-collector doctor --config collector.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logger()
			if err != nil {
				return err
			}
			return collector.Doctor(cmd.Context(), path, cmd.OutOrStdout(), log)
		},
	}
	configFlag(cmd, &path)
	logger = cli.Logger(cmd)
	return cmd
}

// newService makes a command that works on a configuration and logs.
func newService(use, short string, work func(context.Context, collector.Config, *slog.Logger) error) *cobra.Command {
	var path string
	var logger func() (*slog.Logger, error)
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logger()
			if err != nil {
				return err
			}
			c, err := collector.LoadConfig(path)
			if err != nil {
				return err
			}
			return work(cmd.Context(), c, log)
		},
	}
	configFlag(cmd, &path)
	logger = cli.Logger(cmd)
	return cmd
}

func newValidate() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration and the rules, report every fault",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := collector.LoadConfig(path)
			if err != nil {
				return err
			}
			set, err := collector.LoadRules(c.Rules)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: fine, %d rules\n", path, len(set.For("")))
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "", "configuration file (YAML); none: the built-in defaults")
}
