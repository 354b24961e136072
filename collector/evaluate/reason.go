package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
)

// reason says in one sentence, for people, why the verdict is what it is.
func reason(rule *rules.Effective, subject map[string]string, r *reading, why measure.Ground, streak int) string {
	what := statistic(rule) + " of " + nameOf(rule, subject)
	lasting := duration(rule, streak)
	if r == nil {
		return what + " has no value " + lasting
	}
	is := fmt.Sprintf("%s is %s%s", what, number(r.value), interval(r))
	switch why {
	case measure.GroundNotFinite:
		return is + ": there is nothing to compare " + lasting
	case measure.GroundFewSamples:
		return fmt.Sprintf("%s over %d samples, fewer than the %d that the rule asks for, %s", is, r.samples, rule.Method.MinSamples, lasting)
	case measure.GroundBreached:
		return is + ", " + rule.Fail.Phrase() + ", " + lasting
	case measure.GroundWarned:
		return is + ", " + rule.Warn.Phrase() + ", which warns of the limit " + rule.Fail.String()
	case measure.GroundInconclusive:
		return is + ", " + rule.Fail.Phrase() + ", but the interval does not exclude an allowed value"
	case measure.GroundNotShown:
		return fmt.Sprintf("%s: no breach is shown, and the interval is not wider than %s on either side", is, number(rule.Method.Margin))
	case measure.GroundUnderpowered:
		return fmt.Sprintf("%s: no breach is shown, but shifts below %s could not be seen, and the rule asks for %s",
			is, number(measure.SmallestVisible(r.estimate())), number(rule.Method.Margin))
	}
	return is + ", not " + rule.Fail.Phrase()
}

// acceptance says why what would not pass does.
func acceptance(l *rules.LawfulReason) string {
	return fmt.Sprintf("; accepted until %s for a lawful reason that %s declares: %s", l.Until, l.By, l.Reason)
}

// statistic names the rule's statistic as people do.
func statistic(rule *rules.Effective) string {
	name := strings.ReplaceAll(rule.Method.Statistic, "_", " ")
	if len(name) <= 4 {
		return strings.ToUpper(name) // psi, js, ks
	}
	return name
}

// nameOf names a subject by the labels that tell it from others of the same
// model; the model itself where there are none.
func nameOf(rule *rules.Effective, subject map[string]string) string {
	var parts []string
	for _, label := range rule.Subject {
		if v := subject[label]; v != "" && label != labelModel && label != labelModelVersion {
			parts = append(parts, v)
		}
	}
	if len(parts) == 0 {
		parts = slices.DeleteFunc([]string{subject[labelModel], subject[labelModelVersion]}, func(s string) bool { return s == "" })
	}
	if len(parts) == 0 {
		parts = []string{subject[labelSystem]}
	}
	return strings.Join(parts, " ")
}

// duration says for how long the verdict's side has lasted.
func duration(rule *rules.Effective, streak int) string {
	switch {
	case !rule.Windowed() && streak > 1:
		return "for " + config.Duration(time.Duration(streak-1)*rule.Step()).String()
	case !rule.Windowed():
		return "now"
	case streak == 1:
		return "in 1 window"
	}
	return fmt.Sprintf("in %d windows in a row", streak)
}

func interval(r *reading) string {
	if r.lower == nil && r.upper == nil {
		return ""
	}
	end := func(v *float64, open string) string {
		if v == nil {
			return open
		}
		return number(*v)
	}
	return " (" + end(r.lower, "no lower limit") + " to " + end(r.upper, "no upper limit") + ")"
}

// number writes four digits that matter.
func number(v float64) string {
	if math.Abs(v) >= 1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
