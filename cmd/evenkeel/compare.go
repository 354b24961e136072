package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// newCompare holds one time of a model's service against another.
func newCompare() *cobra.Command {
	server := &serverFlags{}
	var asked compareFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "compare", Short: "Hold any time of a model's service against any other", Args: cobra.NoArgs,
		Long: `Asks the collector what agents counted in two ranges of time, adds it up and says
how far they are apart: the same measures as against a baseline, with one range in its
place. Times are RFC 3339, or a date, which is its midnight in UTC. A range is the
windows that ended in it.

Cells that mean different things are not compared. Over a change of baseline that is
possible only where the cells of one are made of whole cells of the other.`,
		Example: `  evenkeel compare --model loan-approval --feature income --from 2026-01-15 --to 2026-01-16 --against 2026-01-08..2026-01-09
  evenkeel compare --model loan-approval --version 2 --against-version 1 --from 2026-02-01 --to 2026-02-08 --against 2026-01-01..2026-01-08 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := asked.query()
			if err != nil {
				return usage(cmd, err)
			}
			var raw json.RawMessage
			if err := server.call(cmd.Context(), http.MethodGet, "/api/v1/compare?"+query.Encode(), nil, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), raw)
			}
			return printComparison(cmd.OutOrStdout(), raw)
		},
	}
	asked.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	server.register(cmd)
	return cmd
}

// compareFlags are the question as the command line has it.
type compareFlags struct {
	system, model, version, before, feature string
	from, to, against                       string
}

func (c *compareFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.model, "model", "", "name of the model, as its agents call it")
	flags.StringVar(&c.feature, "feature", "", "one feature or output; without it all of them")
	flags.StringVar(&c.from, "from", "", "where the time that is compared begins")
	flags.StringVar(&c.to, "to", "", "and ends")
	flags.StringVar(&c.against, "against", "", "the time to hold it against, BEGIN..END")
	flags.StringVar(&c.version, "version", "", "only this version of the model")
	flags.StringVar(&c.before, "against-version", "", "version of the time to hold it against, where it is another")
	flags.StringVar(&c.system, "system", "", "AI system, where several have a model of this name")
}

// query gives the question as the collector reads it.
func (c *compareFlags) query() (url.Values, error) {
	if c.model == "" {
		return nil, errors.New("--model is missing")
	}
	begin, end, found := strings.Cut(c.against, "..")
	if !found {
		return nil, fmt.Errorf("--against %q is not BEGIN..END", c.against)
	}
	q := url.Values{}
	times := map[string]string{}
	for _, t := range []struct{ flag, text, key string }{
		{"--from", c.from, "from"}, {"--to", c.to, "to"}, {"--against", begin, "begin"}, {"--against", end, "end"},
	} {
		at, err := pointInTime(t.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.flag, err)
		}
		times[t.key] = at.Format(time.RFC3339Nano)
	}
	q.Set("from", times["from"])
	q.Set("to", times["to"])
	q.Set("against", times["begin"]+".."+times["end"])
	for name, value := range map[string]string{
		"model": c.model, "feature": c.feature, "version": c.version, "against_version": c.before, "system": c.system,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q, nil
}

// pointInTime reads RFC 3339, or a date.
func pointInTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errs.E("time", errs.Invalid, fmt.Errorf("%q is neither RFC 3339 nor a date", text), "")
}
