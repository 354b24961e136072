package evaluate

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// groundEnded is that of a subject that has ended in an orderly way.
const groundEnded measure.Ground = "ended"

// replacedAfter is for how many evaluations another version of a model has had
// values, since a version had its last, until that one counts as replaced.
const replacedAfter = 3

// expected gives the keys of the subjects of an occasion that had a value not too
// long ago, neither ended nor were replaced, ordered. Those that had none for too
// long are forgotten.
func (e *Evaluator) expected(rule *rules.Effective, o *occasion) []string {
	var out []string
	versions := e.versions(rule, o.system)
	oldest := o.end.Add(-e.options.remember(rule))
	known := e.latest[stateKey{o.system, rule.ID}]
	for key, ev := range known {
		if !o.about(ev.Subject) || isWhole(rule, ev.Subject) {
			continue
		}
		switch {
		case !lastSeen(rule, &ev).After(oldest):
			delete(known, key)
		case !hasEnded(&ev) && !replaced(versions, modelOf(ev.Subject), rule.Step()):
			out = append(out, key)
		}
	}
	slices.Sort(out)
	return out
}

// silenceCounts says that an occasion without any subject is worth a word: not
// where its model was replaced, and not where all that a system ever had has
// ended and nobody has declared the system.
func (e *Evaluator) silenceCounts(rule *rules.Effective, o *occasion) bool {
	if o.model != nil {
		return !replaced(e.versions(rule, o.system), *o.model, rule.Step())
	}
	if slices.Contains(e.options.Systems, o.system) {
		return true
	}
	subjects, gone := 0, 0
	for _, ev := range e.latest[stateKey{o.system, rule.ID}] {
		if !isWhole(rule, ev.Subject) {
			subjects++
			if hasEnded(&ev) {
				gone++
			}
		}
	}
	return subjects == 0 || gone < subjects
}

// versions gives when each version of each model last had a value for the rule.
func (e *Evaluator) versions(rule *rules.Effective, system signal.SystemID) map[signal.ModelRef]time.Time {
	out := map[signal.ModelRef]time.Time{}
	for _, ev := range e.latest[stateKey{system, rule.ID}] {
		m := modelOf(ev.Subject)
		if m.Version == "" || isWhole(rule, ev.Subject) {
			continue
		}
		if seen := lastSeen(rule, &ev); seen.After(out[m]) {
			out[m] = seen
		}
	}
	return out
}

// replaced says that another version of the model has gone on having values for
// replacedAfter evaluations after this one's last. A version that never had a
// value has not been replaced: it has yet to be seen.
func replaced(versions map[signal.ModelRef]time.Time, m signal.ModelRef, step time.Duration) bool {
	own, known := versions[m]
	if !known {
		return false
	}
	for other, seen := range versions {
		if other.Name == m.Name && other.Version != m.Version && !seen.Before(own.Add(replacedAfter*step)) {
			return true
		}
	}
	return false
}

func modelOf(subject map[string]string) signal.ModelRef {
	return signal.ModelRef{Name: subject[labelModel], Version: subject[labelModelVersion]}
}

// ended ends the sentence of a subject that is not expected any more.
const ended = " has ended and is not expected any more"

// hasEnded says that a subject's last word was that it has ended: the evaluation
// that j.end makes. Silence that a lawful reason accepts passes without a value,
// too, and is judged again when the reason has run out.
func hasEnded(ev *model.Evaluation) bool {
	return ev.Verdict == signal.Pass && ev.Value == nil && strings.HasSuffix(ev.Reason, ended)
}

// end closes a subject that is known to have ended: it passes, so that what its
// silence may have opened is cleared, and is expected no longer, also after a
// restart.
func (j *judgement) end(subject map[string]string) {
	j.put(subject, signal.Pass, groundEnded, nil)
	key := subjectKey(subject)
	ev := j.out[key]
	ev.Reason = nameOf(j.rule, subject) + ended
	j.out[key] = ev
}
