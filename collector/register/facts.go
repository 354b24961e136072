package register

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// labelModelVersion is the one label of a subject that never names a record: a
// record is about a model, whatever version shows the fault.
const labelModelVersion = "evenkeel_model_version"

// ownFramework is the standard whose clause 10.2 a record answers.
const ownFramework = "iso42001"

// labelSystem is in every subject, whether the rule lists it or not.
const labelSystem = "evenkeel_system_id"

// facts adds to a rule what the register asks of it.
type facts struct{ *rules.Effective }

// split parts a subject into the labels that name the record, which are the
// system and those that the rule lists, and the model version, whose parts the
// record merges. Other labels come and go with pods and name nothing.
func (f *facts) split(ev *model.Evaluation) (named, part map[string]string) {
	named, part = map[string]string{labelSystem: string(ev.System)}, map[string]string{}
	for label, value := range ev.Subject {
		switch {
		case label == labelModelVersion:
			part[label] = value
		case label != labelSystem && slices.Contains(f.Subject, label):
			named[label] = value
		}
	}
	return named, part
}

// key identifies what at most one open record may be about.
func (f *facts) key(tenant string, named map[string]string) (signal.Digest, error) {
	sum, err := canonical.Digest(struct {
		Tenant  string            `json:"tenant"`
		Rule    signal.RuleID     `json:"rule"`
		Version int               `json:"version"`
		Subject map[string]string `json:"subject"`
	}{tenant, f.ID, f.Version, named})
	return signal.Digest(sum), err
}

// kind gives what a record about this verdict is, or "" when none is opened.
func (f *facts) kind(verdict signal.Verdict, approved *model.Criterion) string {
	kind := f.OnFail.Opens
	if verdict == signal.NoData {
		kind = f.NoData.Opens
	}
	if f.OnFail.Requires == rules.RequiresCriterion && approved == nil && kind != "" {
		return Observation
	}
	return kind
}

// measured copies an evaluation into the data of an event.
func (f *facts) measured(ev *model.Evaluation, part map[string]string) Measured {
	m := Measured{
		Evaluation: ev.ID, Verdict: ev.Verdict, Part: part, Samples: ev.Samples,
		WindowStart: ev.WindowStart.UTC(), WindowEnd: ev.WindowEnd.UTC(), Reason: ev.Reason,
	}
	if ev.Value != nil && finite(*ev.Value) {
		value := *ev.Value
		m.Value = &value
		if beyond := excess(f.Fail, value); finite(beyond) {
			m.Excess = &beyond
		}
	}
	return m
}

// severity is only of nonconformities.
func (f *facts) severity(kind string) string {
	if kind != Nonconformity {
		return ""
	}
	return f.OnFail.Severity
}

// requirements lists what the rule serves, the standard's own clauses first.
func (f *facts) requirements() []model.Requirement {
	frameworks := slices.SortedFunc(maps.Keys(f.Refs), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	list := []model.Requirement{}
	for _, framework := range frameworks {
		for _, ref := range f.Refs[framework] {
			list = append(list, model.Requirement{Framework: framework, Ref: ref})
		}
	}
	return list
}

func (f *facts) responsible() map[string]string {
	return map[string]string{"analyse": f.Responsible.Analyse, "evaluate": f.Responsible.Evaluate}
}

// rank puts the standard's own clauses before every other framework.
func rank(framework string) int {
	if framework == ownFramework {
		return 0
	}
	return 1
}

// excess is how far a value lies beyond the limit, negative where it is
// allowed: the measure by which one value is worse than another. A limit
// without bounds ranks nothing and gives NaN.
func excess(limit rules.Limit, value float64) float64 {
	var op string
	var low, high float64
	text := limit.String()
	if n, _ := fmt.Sscanf(text, "outside [%g, %g]", &low, &high); n == 2 {
		return max(low-value, value-high)
	}
	if n, _ := fmt.Sscanf(text, "%s %g", &op, &low); n != 2 {
		return math.NaN()
	}
	if strings.HasPrefix(op, "<") {
		return low - value
	}
	return value - low
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// detectedAt is the end of the first window, or the time of the first
// evaluation, of the streak that fired: they follow each other by one step.
func (f *facts) detectedAt(ev *model.Evaluation) time.Time {
	return ev.WindowEnd.Add(-f.Step() * time.Duration(max(0, ev.Streak-1)))
}
