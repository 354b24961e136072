package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// fairnessFlags are the flags of evenkeel measure fairness.
type fairnessFlags struct {
	files          fileFlags
	roles          roleFlags
	protected      []string
	referenceGroup []string
	intersect      bool
	minShare       float64
}

func newMeasureFairness() *cobra.Command {
	var f fairnessFlags
	cmd := &cobra.Command{
		Use:   "fairness --current FILE --protected COLUMNS --outcome COLUMN",
		Short: "How the outcomes of groups differ",
		Long: `Compares each group of a protected attribute with a reference group: the one that
--reference-group names, otherwise the largest. Without --label by the share of
favourable outcomes: difference, ratio (disparate impact), and the least over the
greatest share of all groups. With --label also by who was rightly and wrongly
favoured: equal opportunity, odds, predictive parity and error rates. With --label
and --score also by calibration within each group.

Intervals hold for all judged groups at once (Bonferroni). P is that of equal
shares, adjusted for the number of groups (Holm). A group with less than
--min-share of the rows is shown, not judged. Rows without the attribute are the
group (unknown); rows without an outcome are in no group. With --reference the
values of that file stand beside, under BEFORE.`,
		Example: `  evenkeel measure fairness --current decisions.csv --protected gender,age \
      --outcome approved --favourable 1 --reference-group gender=male

  # wrong decisions, too; and the groups of both attributes at once
  evenkeel measure fairness --current decisions.csv --protected gender,age --intersect \
      --outcome approved --favourable 1 --label repaid --score probability`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.files.register(cmd, ", to see what has changed")
	f.roles.register(cmd, ", once it is known")
	s := cmd.Flags()
	s.StringSliceVar(&f.protected, "protected", nil, "`columns` whose groups are compared (required)")
	s.StringSliceVar(&f.referenceGroup, "reference-group", nil, "compare the groups of a column with this one, `column=group`; otherwise the largest")
	s.BoolVar(&f.intersect, "intersect", false, "compare also the groups of all protected columns at once")
	s.Float64Var(&f.minShare, "min-share", 0.02, "groups below this `share` of the rows are shown, not judged")
	registerConfidence(cmd, &f.roles.confidence)
	return cmd
}

func (f *fairnessFlags) run(cmd *cobra.Command) error {
	reference, current, err := f.files.inputs(cmd, false)
	if err != nil {
		return err
	}
	r, o, err := f.options(cmd)
	if err != nil {
		return err
	}
	now, err := loadDecisions(cmd.Context(), current, r, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	result, err := measureFairness(now, r, o)
	if err != nil {
		return err
	}
	if reference.path != "" {
		r.labelMayLack = true
		before, err := loadDecisions(cmd.Context(), reference, r, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		earlier, err := measureFairness(before, r, o)
		if err != nil {
			return err
		}
		result.standBeside(earlier)
	}
	if f.files.json {
		return printMeasured(cmd.OutOrStdout(), result)
	}
	return result.print(cmd.OutOrStdout(), o)
}

// options checks the flags.
func (f *fairnessFlags) options(cmd *cobra.Command) (roles, fairnessOptions, error) {
	rule, said, err := f.roles.rule(cmd)
	r := roles{outcome: f.roles.outcome, label: f.roles.label, score: f.roles.score, attributes: f.protected, rule: rule}
	o := fairnessOptions{confidence: f.roles.confidence, minShare: f.minShare, intersect: f.intersect, reference: map[string]string{}, outcome: f.roles.outcome, favourable: favourableText(rule.Values, rule.AtLeast)}
	switch {
	case err != nil:
		return r, o, err
	case len(f.protected) == 0:
		return r, o, usage(cmd, errors.New("no attribute: --protected COLUMN is missing"))
	case f.roles.outcome == "":
		return r, o, usage(cmd, errors.New("groups are compared by an outcome: --outcome COLUMN is missing"))
	case !said:
		return r, o, usage(cmd, errors.New("say which outcomes are favourable: --favourable VALUE or --favourable-at-least LIMIT"))
	case f.roles.score != "" && f.roles.label == "":
		return r, o, usage(cmd, errors.New("a score is compared with what was right: --label COLUMN is missing"))
	case !(f.minShare >= 0 && f.minShare < 1):
		return r, o, usage(cmd, fmt.Errorf("--min-share: %v is not a share", f.minShare))
	case f.intersect && len(f.protected) < 2:
		return r, o, usage(cmd, errors.New("--intersect: name two or more columns with --protected"))
	}
	for _, text := range f.referenceGroup {
		column, group, found := strings.Cut(text, "=")
		if !found || group == "" {
			return r, o, usage(cmd, fmt.Errorf("--reference-group: %q; write column=group, for example gender=male", text))
		}
		o.reference[column] = group
	}
	for column := range o.reference {
		if !slices.Contains(f.protected, column) {
			return r, o, usage(cmd, fmt.Errorf("--reference-group: %q is not protected; add --protected %s", column, column))
		}
	}
	return r, o, nil
}
