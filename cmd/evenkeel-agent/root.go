package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/agent"
	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/cli"
	"github.com/evenkeel/evenkeel/internal/version"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "evenkeel-agent",
		Short: "Watch a model from beside its server: drift, bias, data quality",
		Long: `evenkeel-agent stands between a model's clients and its server. It passes every
request on untouched, and from copies of what passes it counts, window by window,
what the model was asked and what it answered. Counts, never raw values, go to
evenkeel-collector over OTLP, and to Prometheus at /metrics.

A collector that is down, slow or full is never felt by the clients: what could
not be sent waits on disk, within bounds, and is sent later, each window once.

The ports, unless configured otherwise:
  127.0.0.1:9001   inference: point the clients here
  127.0.0.1:9464   /, /healthz, /readyz, /metrics`,
		Version: version.Version,
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.AddCommand(newRun(), newValidate(), cli.Version())
	return root
}

func newRun() *cobra.Command {
	var path string
	var logger func() (*slog.Logger, error)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run until interrupted",
		Long: `run serves until it gets SIGINT or SIGTERM. It then takes no new requests, ends
those under way, counts what it has seen, writes the last window to disk and
tries to send it, all within stop_timeout. What could not be sent is sent after
the next start. On SIGHUP, and when its files change, it reads the configuration
again; one that is faulty is refused, and the last good one stays in force.`,
		Example: "  evenkeel-agent run --config agent.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := logger()
			if err != nil {
				return err
			}
			c, err := config.Load(path)
			if err != nil {
				return err
			}
			return agent.Run(cmd.Context(), c, log)
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
		Short: "Check the configuration and its baselines, report every fault",
		Long: `validate reads the configuration and the baselines that it names, and checks
that they fit each other: the model, the outcome and its favourable values, the
protected attributes and their reference groups. It opens no port and connects
to nothing.`,
		Example: "  evenkeel-agent validate --config agent.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(path)
			if err != nil {
				return err
			}
			if err := agent.Check(c); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: fine, models: %d\n", path, len(c.Models))
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "agent.yaml", "configuration file (YAML)")
}
