package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/tabular"
	"github.com/evenkeel/evenkeel/signal"
)

// buildOptions is everything that evenkeel baseline build was asked for.
type buildOptions struct {
	input, output string
	force         bool
	from, to      int // rows [from, to) of the file; to 0: to the end
	schema        schema
}

const buildExample = `  # everything inferred: numbers are binned, texts are categories
  evenkeel baseline build --input reference.csv --model loan-approval

  # groups compared by who was approved, against the men
  evenkeel baseline build --input reference.csv --model loan-approval \
      --outcome approved --favourable 1 --protected gender --reference gender=male

  # the first half of a file; the meaning of the columns in a file of its own
  evenkeel baseline build --input all.csv --rows 0:22656 --schema columns.yaml`

func newBaselineBuild() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "build --input FILE.csv --model NAME",
		Short: "Build a baseline from a CSV file of reference data",
		Long: `Reads reference data, one row for each answer of the model, and writes the
baseline that an agent compares its windows with: for numbers the cells of equal
mass, for texts the categories, for protected attributes the outcomes of each
group. The raw values stay where they are.

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
	file, err := openInput(o.input)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newProgress(ctx, terminal, file)
	defer bar.clear()

	survey, err := pass(bar, o, tabular.Examine)
	if err != nil {
		return err
	}
	plan, err := o.schema.plan(o.input, survey)
	if err != nil {
		return err
	}
	b, err := plan.build(o, survey.Rows, bar)
	if err != nil {
		return err
	}
	bar.clear()
	if err := writeBaseline(b, o.output); err != nil {
		return err
	}
	return summarise(out, b, plan, o)
}

func openInput(path string) (*os.File, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, errs.E("read reference data", errs.NotFound, err, "check --input")
	case errors.Is(err, fs.ErrPermission):
		return nil, errs.E("read reference data", errs.Denied, err, "")
	case err != nil:
		return nil, fmt.Errorf("read reference data: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errs.E("read reference data", errs.Invalid, fmt.Errorf("%s is not a regular file", path), "it is read twice, so a folder or a pipe will not do: write it to a file first")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
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

// parseRows reads FROM:TO, FROM: or :TO; rows are counted from 0 without the
// header, and TO is the first row that is left out.
func parseRows(s string) (from, to int, err error) {
	first, last, found := strings.Cut(s, ":")
	number := func(text string) int {
		if text == "" {
			return 0
		}
		n, e := strconv.Atoi(text)
		if e != nil || n < 0 {
			err = fmt.Errorf("%q is not a number of rows", text)
		}
		return n
	}
	from, to = number(first), number(last)
	switch {
	case !found || s == ":":
		err = fmt.Errorf("%q; write FROM:TO, for example 0:1000 for the first thousand", s)
	case err == nil && last != "" && to <= from:
		err = fmt.Errorf("%q holds no row: %d is not after %d", s, to, from)
	}
	return from, to, err
}
