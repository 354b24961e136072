package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// newLineage is the group of commands about where data came from.
func newLineage() *cobra.Command {
	server := &serverFlags{}
	group := newGroup("lineage", "Show what data, models and predictions were made from",
		newLineageWalk(server, "up", "What a node was made from", "  evenkeel lineage up run:01890a5d-ac96-774b-bcce-b302099a8057"),
		newLineageWalk(server, "down", "What was made from a node", "  evenkeel lineage down 'dataset:s3://lake#loans@v3'"),
		newLineageShow(server), newLineageOf(server), newLineageSend(server))
	group.Long = `Show what data, models and predictions were made from, as OpenLineage events and
the agents' own declarations tell.

A NODE is job:NAMESPACE#NAME, dataset:NAMESPACE#NAME, dataset:NAMESPACE#NAME@VERSION
or run:UUID. The end of a name will do where no other node ends alike.`
	server.register(group)
	return group
}

func newLineageWalk(server *serverFlags, direction, short, example string) *cobra.Command {
	var asJSON bool
	var depth int
	cmd := &cobra.Command{
		Use: direction + " NODE", Short: short, Args: cobra.ExactArgs(1), Example: example,
		RunE: func(cmd *cobra.Command, args []string) error {
			query := url.Values{"node": {args[0]}, "direction": {direction}, "depth": {strconv.Itoa(depth)}}
			return answerTo(cmd, server, "/api/v1/lineage/graph?"+query.Encode(), asJSON, printGraph)
		},
	}
	cmd.Flags().IntVar(&depth, "depth", lineage.DefaultDepth, fmt.Sprintf("how many steps to go, at most %d", lineage.MaxDepth))
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newLineageShow(server *serverFlags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show NODE", Short: "Show one node, what touches it and the newest events about it", Args: cobra.ExactArgs(1),
		Example: "  evenkeel lineage show model/loan-approval@7 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return answerTo(cmd, server, "/api/v1/lineage/node?"+url.Values{"node": {args[0]}}.Encode(), asJSON, printNode)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newLineageOf(server *serverFlags) *cobra.Command {
	var asJSON bool
	var system string
	cmd := &cobra.Command{
		Use: "of ID", Short: "Show which model, baseline and training data stood behind a prediction", Args: cobra.ExactArgs(1),
		Example: "  evenkeel lineage of req-17 --system loan-approval",
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/api/v1/predictions/" + url.PathEscape(args[0]) + "/lineage?" + url.Values{"system": {system}}.Encode()
			return answerTo(cmd, server, path, asJSON, printOrigins)
		},
	}
	cmd.Flags().StringVar(&system, "system", "", "the AI system that predicted; otherwise any")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newLineageSend(server *serverFlags) *cobra.Command {
	var asJSON bool
	var system string
	cmd := &cobra.Command{
		Use: "send FILE", Short: "Send a file of OpenLineage events", Args: cobra.ExactArgs(1),
		Long: `Send a file of OpenLineage events: one as JSON, or an array of them. Programs with
an OpenLineage client send theirs by themselves, to /api/v1/lineage of the collector.
An event that is none is named and the others are taken.`,
		Example: "  evenkeel lineage send train.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			content, err := os.ReadFile(args[0])
			if err == nil && !json.Valid(content) {
				err = fmt.Errorf("%s is not JSON", args[0])
			}
			if err != nil {
				return errs.E("read events", errs.Invalid, err, "")
			}
			var raw json.RawMessage
			path := "/api/v1/lineage?" + url.Values{"system": {system}}.Encode()
			if err := server.call(cmd.Context(), http.MethodPost, path, json.RawMessage(content), &raw); err != nil {
				return err
			}
			return showAnswer(cmd, raw, asJSON, printSent)
		},
	}
	cmd.Flags().StringVar(&system, "system", "", "the AI system that the events are about; otherwise as they say")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// answerTo asks, and prints the answer as it came or for people.
func answerTo[T any](cmd *cobra.Command, server *serverFlags, path string, asJSON bool, show func(*cobra.Command, *T) error) error {
	var raw json.RawMessage
	if err := server.call(cmd.Context(), http.MethodGet, path, nil, &raw); err != nil {
		return err
	}
	return showAnswer(cmd, raw, asJSON, show)
}

func showAnswer[T any](cmd *cobra.Command, raw json.RawMessage, asJSON bool, show func(*cobra.Command, *T) error) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), raw)
	}
	var answer T
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return show(cmd, &answer)
}
