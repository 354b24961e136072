package evaluate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql"

	"github.com/evenkeel/evenkeel/signal"
)

// A sentence names at most so many columns, and says so much about each.
const (
	explainedColumns = 3
	explainedRunes   = 160
)

// explain adds to the sentence of every warning and every fail what moved: in
// the subject's own column, and where the subject names none in the largest of
// the columns that the rule's `explain` yields. What moved stands in the sealed
// window's record; columns that it says nothing about are left out.
func (j *judgement) explain(ctx context.Context) {
	if len(j.o.explanations) == 0 {
		return
	}
	var largest promql.Vector
	asked := false
	for key, ev := range j.out {
		if ev.Verdict != signal.Warn && ev.Verdict != signal.Fail {
			continue
		}
		var parts []string
		if column := ev.Subject[labelFeature]; column != "" {
			text, _ := strings.CutPrefix(j.o.explanation(column), column+": ")
			parts = append(parts, text)
		} else if j.rule.Explain != "" {
			if !asked {
				largest, asked = j.columns(ctx), true
			}
			parts = j.explainWhole(ev.Subject, largest)
		}
		if text := strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; "); text != "" {
			ev.Reason += "; " + text
			j.out[key] = ev
		}
	}
}

// columns gives what the rule's `explain` yields, the largest value first. What
// cannot be asked leaves the sentence shorter and the verdict as it is.
func (j *judgement) columns(ctx context.Context) promql.Vector {
	text, err := j.o.restrict(j.rule, j.rule.Explain)
	var found promql.Vector
	if err == nil {
		found, err = j.e.ask(ctx, text, j.o.end, j.rule.Method.Window.Std())
	}
	if err != nil {
		j.e.options.Log.Warn("a verdict could not be explained", "error", err, "rule", j.rule.ID, "system", j.o.system, "end", j.o.end)
		return nil
	}
	found = slices.DeleteFunc(found, func(s promql.Sample) bool { return math.IsNaN(s.F) })
	slices.SortStableFunc(found, func(a, b promql.Sample) int {
		return cmp.Or(cmp.Compare(b.F, a.F), strings.Compare(a.Metric.Get(labelFeature), b.Metric.Get(labelFeature)))
	})
	return found
}

// explainWhole says what moved in the largest columns of one subject.
func (j *judgement) explainWhole(subject map[string]string, largest promql.Vector) []string {
	var parts []string
	named := map[string]bool{}
	for _, s := range largest {
		column := s.Metric.Get(labelFeature)
		if named[column] || !isAbout(subject, s) {
			continue
		}
		named[column] = true
		if text := j.o.explanation(column); text != "" {
			parts = append(parts, text)
		}
		if len(parts) == explainedColumns {
			break
		}
	}
	return parts
}

// isAbout says that a sample has the subject's value of every label that both
// have: an aggregate may have lost some.
func isAbout(subject map[string]string, s promql.Sample) bool {
	for label, value := range subject {
		if has := s.Metric.Get(label); has != "" && has != value {
			return false
		}
	}
	return true
}

// explanation gives what the window's record says about a column, cut to a
// length that a sentence bears; "" for nothing.
func (o *occasion) explanation(column string) string {
	text := []rune(strings.TrimSuffix(o.explanations[signal.FeatureName(column)], "."))
	if len(text) <= explainedRunes {
		return string(text)
	}
	return string(text[:explainedRunes-1]) + "…"
}
