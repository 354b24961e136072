package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// buildOptions is everything that evenkeel baseline build was asked for.
type buildOptions struct {
	input  input
	output string
	force  bool
	schema schema
}

const buildExample = `  # everything inferred: numbers are binned, texts are categories
  evenkeel baseline build --input reference.csv --model loan-approval

  # groups compared by who was approved, against the men
  evenkeel baseline build --input reference.csv --model loan-approval \
      --outcome approved --favourable 1 --protected gender --reference gender=male

  # JSON lines and Parquet are read alike
  evenkeel baseline build --input reference.parquet --model loan-approval

  # the first half of a file; the meaning of the columns in a file of its own
  evenkeel baseline build --input all.csv --rows 0:22656 --schema columns.yaml`

func newBaselineBuild() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build --input FILE --model NAME",
		Short: "Build a baseline from a file of reference data",
		Long: `Reads reference data, one row for each answer of the model, and writes the
baseline that an agent compares its windows with: for numbers the cells of equal
mass, for texts the categories, for protected attributes the outcomes of each
group. The raw values stay where they are.

The file is CSV with a header, one JSON object a line, or Parquet: by its
extension (.csv, .jsonl, .ndjson, .parquet, .pq) or as --format says.

Columns of numbers are numeric, all others categorical; empty cells, NA, NaN and
null are missing. Without --features every column is an input feature except the
outcome, predictions, protected attributes, and what looks like an identifier.

A schema file says the same as the flags, for those who keep it beside the data:
  model: {name: loan-approval, version: "3"}
  columns: {income: numeric, purpose: categorical}
  predictions: [score]
  outcome: {output: approved, favourable: {values: ["1"]}}   # or at_least: 0.5
  protected: [{attribute: gender, reference: male}]

The same data gives the same digest, which is also the sha256 of the file.`,
		Example: buildExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := f.options(cmd)
			if err != nil {
				return err
			}
			return buildBaseline(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.register(cmd)
	return cmd
}

// buildBaseline reads the file twice, first to learn what the columns hold and
// then to load those that are wanted, builds, writes and reports.
func buildBaseline(ctx context.Context, o buildOptions, out, terminal io.Writer) error {
	if _, err := os.Stat(o.output); err == nil && !o.force {
		return errs.E("write baseline", errs.Conflict, fmt.Errorf("%s exists already", o.output), "add --force to replace it, or name another file with --output")
	}
	file, err := openInput(ctx, o.input, terminal)
	if err != nil {
		return err
	}
	defer file.close()
	survey, err := file.survey()
	if err != nil {
		return err
	}
	plan, err := o.schema.plan(o.input.path, survey)
	if err != nil {
		return err
	}
	b, err := plan.build(o.schema, file, survey.Rows)
	if err != nil {
		return err
	}
	file.bar.clear()
	if err := writeBaseline(b, o.output); err != nil {
		return err
	}
	return summarise(out, b, plan, o)
}

// writeBaseline writes the canonical JSON, so that the file's sha256 is the
// baseline's digest, and never leaves half a file.
func writeBaseline(b *signal.Baseline, path string) error {
	raw, err := canonical.JSON(b)
	if err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".baseline-*")
	if err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(raw)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	return nil
}
