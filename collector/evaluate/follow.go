package evaluate

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// stateKey names what a rule says about a system over time.
type stateKey struct {
	system signal.SystemID
	rule   signal.RuleID
}

// subjects holds the newest evaluation of each subject by its key.
type subjects map[string]model.Evaluation

// streak counts evaluations in a row on the same side: good (pass, warn), fail,
// no_data, error. A changed rule begins anew, and so do windows that do not
// follow each other.
func streak(rule *rules.Effective, ev, last *model.Evaluation, known bool) int {
	switch {
	case !known, last.RuleDigest != ev.RuleDigest, side(last.Verdict) != side(ev.Verdict):
		return 1
	case rule.Windowed() && !last.WindowEnd.Equal(ev.WindowStart):
		return 1
	}
	return last.Streak + 1
}

func side(v signal.Verdict) signal.Verdict {
	if v == signal.Warn {
		return signal.Pass
	}
	return v
}

// state says where the rule stands: a fail and silence fire when they have
// lasted as long as the rule says, an error is pending, the rest is ok, unless
// the rule goes on firing for a while after its last fail.
func state(rule *rules.Effective, ev, last *model.Evaluation) model.RuleState {
	needed := 0
	switch ev.Verdict {
	case signal.Pass, signal.Warn:
		if keepsFiring(rule, ev, last) {
			return model.StateFiring
		}
		return model.StateOK
	case signal.Fail:
		needed = rule.For.Evaluations(rule.Step())
	case signal.NoData:
		needed = rule.NoData.After.Evaluations(rule.Step())
	}
	if needed > 0 && ev.Streak >= needed {
		return model.StateFiring
	}
	return model.StatePending
}

// keepsFiring says that a pass or a warning comes too early after a fail that
// fired. It rests on the last evaluation alone, so that a restart changes
// nothing: the streak of what is good began behind the last fail.
func keepsFiring(rule *rules.Effective, ev, last *model.Evaluation) bool {
	return rule.KeepFiring > 0 && last.State == model.StateFiring && last.Verdict != signal.NoData && last.RuleDigest == ev.RuleDigest &&
		time.Duration(ev.Streak)*rule.Step() <= rule.KeepFiring.Std()
}

// lastSeen tells from an evaluation alone when the subject last had a value, so
// that a restart does not change the answer.
func lastSeen(rule *rules.Effective, ev *model.Evaluation) time.Time {
	if ev.Value != nil {
		return ev.WindowEnd
	}
	return ev.WindowEnd.Add(-time.Duration(ev.Streak) * rule.Step())
}

// isWhole says that a subject stands for a whole system or model, for a rule
// whose subjects are finer.
func isWhole(rule *rules.Effective, subject map[string]string) bool {
	finer := false
	for _, label := range rule.Subject {
		if label != labelModel && label != labelModelVersion {
			finer = true
			if subject[label] != "" {
				return false
			}
		}
	}
	return finer || subject[labelModel] == "" && slices.Contains(rule.Subject, labelModel)
}
