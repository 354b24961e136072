package evaluate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// judge judges what the queries of one rule found at one occasion: every subject that has a value and
// every one that is expected, ordered by subject. Where there is none, the
// silence of the whole is judged, if it counts. A query that cannot be answered
// gives the verdict error; the only error that judge itself returns is the
// context's.
func (e *Evaluator) judge(ctx context.Context, rule *rules.Effective, o *occasion, found *answer) ([]model.Evaluation, error) {
	j := judgement{e: e, rule: rule, o: o, query: found.readings.digest, at: e.options.Now().UTC(), out: make(map[string]model.Evaluation, len(found.readings.list))}
	if found.err != nil {
		j.failed(found.err)
	} else {
		j.values(&found.readings)
		j.explain(ctx)
		if ctx.Err() != nil { // half of what it would say
			return nil, ctx.Err()
		}
	}
	out := make([]model.Evaluation, 0, len(j.out))
	for _, key := range slices.Sorted(maps.Keys(j.out)) {
		out = append(out, j.out[key])
	}
	return out, nil
}

// judgement gathers the evaluations of one rule at one occasion, by subject.
type judgement struct {
	e     *Evaluator
	rule  *rules.Effective
	o     *occasion
	query signal.Digest
	at    time.Time
	out   map[string]model.Evaluation
}

// values judges what was measured, and the silence of what was not. Where two
// values are about one subject, the worse verdict counts.
func (j *judgement) values(measured *readings) {
	for i := range measured.list {
		r := &measured.list[i]
		verdict, why := decide(j.rule, r)
		key := subjectKey(r.subject)
		known, twice := j.out[key]
		if !twice || worse(verdict, known.Verdict) {
			j.putAs(key, r.subject, verdict, why, r)
		}
	}
	for _, key := range j.e.expected(j.rule, j.o) {
		if _, there := j.out[key]; there {
			continue
		}
		subject := j.known()[key].Subject
		if measured.ended[key] {
			j.end(subject)
		} else {
			j.put(subject, signal.NoData, measure.GroundAbsent, nil)
		}
	}
	if len(measured.list) > 0 {
		j.breakSilence(len(measured.list))
	} else if len(j.out) == 0 && j.rule.NoData.Expect != rules.ExpectSeen && j.e.silenceCounts(j.rule, j.o) {
		j.put(j.o.whole(), signal.NoData, measure.GroundAbsent, nil)
	}
}

// breakSilence ends the silence of a whole system or model whose subjects have
// turned up since.
func (j *judgement) breakSilence(subjects int) {
	system := map[string]string{labelSystem: string(j.o.system)}
	for _, whole := range []map[string]string{system, j.o.whole()} {
		key := subjectKey(whole)
		last, known := j.known()[key]
		if _, judged := j.out[key]; judged || !known || last.Verdict == signal.Pass {
			continue
		}
		j.put(whole, signal.Pass, groundFound, nil)
		ev := j.out[key]
		ev.Reason = fmt.Sprintf("%s has values again, of %d subjects", statistic(j.rule), subjects)
		j.out[key] = ev
	}
}

// failed judges everything that is expected as not computable.
func (j *judgement) failed(err error) {
	var subjects []map[string]string
	for _, key := range j.e.expected(j.rule, j.o) {
		subjects = append(subjects, j.known()[key].Subject)
	}
	if len(subjects) == 0 && j.e.silenceCounts(j.rule, j.o) {
		subjects = []map[string]string{j.o.whole()}
	}
	for _, subject := range subjects {
		j.put(subject, signal.Error, groundNotComputable, nil)
		ev := j.out[subjectKey(subject)]
		ev.Reason = fmt.Sprintf("%s of %s could not be computed: %v", statistic(j.rule), nameOf(j.rule, subject), err)
		j.out[subjectKey(subject)] = ev
	}
}

// put makes the evaluation of one subject, following on its last one.
func (j *judgement) put(subject map[string]string, verdict signal.Verdict, why measure.Ground, r *reading) {
	j.putAs(subjectKey(subject), subject, verdict, why, r)
}

// known gives the newest evaluations of the rule.
func (j *judgement) known() subjects { return j.e.latest[stateKey{j.o.system, j.rule.ID}] }

// putAs does so where the subject's key is at hand.
func (j *judgement) putAs(key string, subject map[string]string, verdict signal.Verdict, why measure.Ground, r *reading) {
	ev := model.Evaluation{
		ID: evaluationID(j.rule, j.o, key), Rule: j.rule.ID, RuleVersion: j.rule.Version, RuleDigest: j.rule.Digest,
		QueryDigest: j.query, System: j.o.system, Subject: subject, Verdict: verdict,
		FailLimit: j.rule.Fail.String(), WarnLimit: j.rule.Warn.String(),
		WindowStart: j.o.start, WindowEnd: j.o.end, WindowIDs: j.o.windowIDs, EvaluatedAt: j.at,
	}
	if r != nil {
		ev.Value, ev.Lower, ev.Upper, ev.Samples = &r.value, r.lower, r.upper, r.samples
	}
	lawful := j.accepted(subject, verdict)
	if lawful != nil {
		ev.Verdict = signal.Pass
	}
	last, known := j.known()[key]
	ev.Streak = streak(j.rule, &ev, &last, known)
	if lawful != nil && r == nil && last.Value != nil {
		ev.Streak = 1 // it tells since when there is no value
	}
	ev.State = state(j.rule, &ev, &last)
	ev.Run = ev.After(&last, j.rule.Step())
	if lawful == nil {
		ev.Reason = reason(j.rule, subject, r, why, ev.Streak)
	} else {
		ev.Reason = reason(j.rule, subject, r, why, 1) + acceptance(lawful)
	}
	j.out[key] = ev
}

// accepted gives the declared reason that makes a verdict on a subject a pass;
// nil where there is none or none is needed. An error stays one.
func (j *judgement) accepted(subject map[string]string, verdict signal.Verdict) *rules.LawfulReason {
	if verdict == signal.Pass || verdict == signal.Error {
		return nil
	}
	return j.rule.Lawful(subject, j.o.end)
}

// evaluationNamespace makes the ids of evaluations their own.
var evaluationNamespace = uuid.MustParse("4d6f0c39-52f0-5d0b-9a55-3c1f4f3a5b0e")

// evaluationID is derived from rule digest, subject and window, so that the
// same evaluation has the same id however often it is made.
func evaluationID(rule *rules.Effective, o *occasion, subject string) string {
	name := fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%d", rule.ID, rule.Digest, subject, o.start.UnixNano(), o.end.UnixNano())
	return uuid.NewSHA1(evaluationNamespace, []byte(name)).String()
}

// subjectKey is the subject's canonical JSON.
func subjectKey(subject map[string]string) string {
	names := make([]string, 0, 8)
	size := 2
	for name, value := range subject {
		if !plain(name) || !plain(value) {
			return canonicalKey(subject)
		}
		names = append(names, name)
		size += len(name) + len(value) + 6
	}
	slices.Sort(names)
	out := make([]byte, 0, size)
	for i, name := range names {
		out = append(out, "{,"[min(i, 1)], '"')
		out = append(append(out, name...), `":"`...)
		out = append(append(out, subject[name]...), '"')
	}
	if len(names) == 0 {
		out = append(out, '{')
	}
	return string(append(out, '}'))
}

// plain says that JSON writes a text as it is.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func canonicalKey(subject map[string]string) string {
	raw, err := canonical.JSON(subject)
	if err != nil {
		panic("canonical JSON of labels: " + err.Error()) // strings only: cannot happen
	}
	return string(raw)
}
