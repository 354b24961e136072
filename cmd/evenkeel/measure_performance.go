package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

func newMeasurePerformance() *cobra.Command {
	var files fileFlags
	var columns roleFlags
	cmd := &cobra.Command{
		Use:   "performance --current FILE --label COLUMN",
		Short: "How right the model was, or is expected to be",
		Long: `Compares what a model answered with what was right. With --favourable it is a
classifier: of --outcome accuracy, precision, recall, specificity, F1 and
Matthews' coefficient; of --score the area under the ROC curve and, where it is a
probability, log loss, Brier score and calibration error (corrected for chance).
Without --favourable outcome and label are numbers: MAE, RMSE and R2. Rows without
a label, or without an answer, are left out and counted.

With --reference the values of that file stand beside, under BEFORE. If it holds
labels and scores, performance is also estimated without the current labels, which
may be missing (confidence-based, with an isotonic calibrator). The estimate assumes
that scores still mean what they meant in the reference: concept drift is invisible
to it, so it has no interval, and it is never mixed with what was realised. The
reference must be rows that the model has not been trained on.`,
		Example: `  evenkeel measure performance --current answered.csv --outcome approved --label repaid \
      --favourable 1 --score probability

  # before labels are known
  evenkeel measure performance --reference labelled.parquet --current today.parquet \
      --outcome approved --label repaid --favourable 1 --score probability

  # a number was predicted
  evenkeel measure performance --current prices.jsonl --outcome predicted --label paid`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reference, current, err := files.inputs(cmd, false)
			if err != nil {
				return err
			}
			r, err := performanceRoles(cmd, &columns, reference.path != "")
			if err != nil {
				return err
			}
			result, err := measurePerformance(cmd, r, reference, current, columns.confidence)
			switch {
			case err != nil:
				return err
			case files.json:
				return printMeasured(cmd.OutOrStdout(), result)
			}
			return result.print(cmd.OutOrStdout())
		},
	}
	files.register(cmd, ", to see what has changed and to estimate without labels")
	columns.register(cmd, " (required)")
	registerConfidence(cmd, &columns.confidence)
	return cmd
}

// performanceRoles checks the flags.
func performanceRoles(cmd *cobra.Command, f *roleFlags, reference bool) (roles, error) {
	rule, classes, err := f.rule(cmd)
	r := roles{outcome: f.outcome, label: f.label, score: f.score, rule: rule, numbers: !classes, labelMayLack: reference}
	switch {
	case err != nil:
		return r, err
	case f.label == "":
		return r, usage(cmd, errors.New("there is nothing to compare with: --label COLUMN is missing"))
	case f.outcome == "" && f.score == "":
		return r, usage(cmd, errors.New("there is nothing to compare: name --outcome COLUMN, --score COLUMN or both"))
	case !classes && f.score != "":
		return r, usage(cmd, errors.New("a score is that of an outcome: say which with --favourable VALUE or --favourable-at-least LIMIT"))
	}
	return r, nil
}

// performanceResult is what evenkeel measure performance prints.
type performanceResult struct {
	Reference *measuredFile      `json:"reference"` // null where there is none
	Current   measuredFile       `json:"current"`
	Compared  int                `json:"compared"` // rows with an answer and a label
	Scores    []performanceScore `json:"scores"`
}

type performanceScore struct {
	Metric string `json:"metric"`
	Basis  string `json:"basis"` // realized or estimated
	possible
	Before *estimate `json:"before"` // realized in the reference file
}

// Whether labels were at hand.
const (
	basisRealized  = "realized"
	basisEstimated = "estimated"
)

func (r *performanceResult) print(out io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "Performance of %s, %d of them with an answer and a label", r.Current, r.Compared)
	if r.Reference != nil {
		fmt.Fprintf(&text, "; before: %s", r.Reference)
	}
	text.WriteString("\n\n")
	t := newTable(&text)
	head := "METRIC\tBASIS\tVALUE\tINTERVAL\tROWS"
	if r.Reference != nil {
		head += "\tBEFORE"
	}
	fmt.Fprintln(t, head)
	estimated := false
	for i := range r.Scores {
		s := &r.Scores[i]
		estimated = estimated || s.Basis == basisEstimated
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d", strings.ReplaceAll(s.Metric, "_", " "), s.Basis, s.text(), s.intervalText(), s.Samples)
		if r.Reference != nil {
			fmt.Fprintf(t, "\t%s", beforeText(s.Before))
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // into a strings.Builder: cannot fail
	if estimated {
		text.WriteString("\nEstimated: as if scores still meant what they meant in the reference. Concept drift does not show.\n")
	}
	_, err := io.WriteString(out, text.String())
	return err
}
