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

  # what a probability promises, from labelled rows that the model has not learnt
  # from; and how much windows vary, from 50 windows of a file in the order of time
  evenkeel baseline build --input heldout.parquet --model loan-approval \
      --outcome approved --favourable 1 --score probability --label repaid --windows 50

  # an embedding in the columns vector.0, vector.1 ..., and what questions are made of
  evenkeel baseline build --input questions.jsonl --model assistant --embedding vector --text question

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
outcome, predictions, label, protected attributes, texts, the coordinates of
embeddings, and what looks like an identifier.

Watched beside single columns are
  - the numeric inputs together, and each embedding: projected onto axes, half of
    them the principal ones, and through a kernel. Without --joint this is left out
    where it does not fit (fewer than 200 rows, fewer than two numeric inputs, more
    than 256). Inputs with one value or with more than 5% missing are left out of
    it, since a row without one of its values is lost to the set. A tenth to a
    quarter of the rows, drawn at random, at most 20,000, finds the axes, and the
    others are counted. Name an embedding's columns as the agent sees them: NAME.0,
    NAME.1 and so on for a tensor NAME;
  - texts by length, tokens, share of non-letters, script and hashed trigrams;
  - with --score and --label what a score promises: an isotonic calibrator, at most
    258 knots, off by less than 1/128 from the full one. With it performance is
    estimated before labels are known. Labels must not be ones that the model has
    been trained or tuned on.

With --intersect, or intersections: in a schema file, the groups of several protected
attributes at once are compared too, as "gender=female, region=north" of "gender x
region": with those who belong to the reference group of each.

With --windows the rows are taken as in the order of time and cut into so many
windows. They tell by how much rows that depend on each other make counts vary
(the evidence of drift is deflated by it), and what joint scores exceed in one of
twenty windows without a change: with 19 windows or more that is the limit of the
scores. Without it these scores have no limit, and rule DRF-04 has no data.

A schema file says the same as the flags, for those who keep it beside the data:
  model: {name: loan-approval, version: "3"}
  columns: {income: numeric, purpose: categorical}
  predictions: [score]
  outcome:
    output: approved
    favourable: {values: ["1"]}                          # or at_least: 0.5
    score: probability
    label: repaid
  protected: [{attribute: gender, reference: male}, {attribute: region}]
  intersections: [[gender, region]]                      # compared at once
  joint: 8                                               # 0: not together
  embeddings: [{name: vector}, {name: image, prefix: img_}, {name: place, columns: [lat, lon]}]
  texts: [question]
  windows: 50

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
