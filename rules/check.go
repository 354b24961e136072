package rules

import (
	"math"
	"regexp"
	"slices"
	"time"
)

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// check reports what the rule leaves out and what does not fit together. It is
// asked again after an override, with the override's place.
func (r *Rule) check(p place) {
	r.checkPresent(p)
	r.checkSubject(p)
	r.checkDecision(p)
	r.checkTimes(p)
	r.checkCohort(p)
	r.checkConsequences(p)
	r.checkLawful(p)
}

// checkPresent asks for what clause 9.1 asks for: what, how, when, who.
func (r *Rule) checkPresent(p place) {
	if !ruleName.MatchString(string(r.ID)) {
		p.at("id").fault("%q is not a rule's id; write for example DRF-01", r.ID)
	}
	for _, f := range []struct {
		place place
		text  string
		why   string
	}{
		{p.at("title"), r.Title, "what do people call it?"},
		{p.at("monitors"), r.Monitors, "what is monitored (9.1 a)?"},
		{p.at("method").at("statistic"), r.Method.Statistic, "how is it measured (9.1 b)?"},
		{p.at("expr"), r.Expr + r.SQL, "the PromQL that yields the value of every subject (9.1 b), or sql in its place"},
		{p.at("analysed"), r.Analysed, "when are results analysed (9.1 d)? For example: weekly"},
		{p.at("responsible").at("analyse"), r.Responsible.Analyse, "who analyses (5.3)?"},
		{p.at("responsible").at("evaluate"), r.Responsible.Evaluate, "who evaluates (5.3)?"},
	} {
		if f.text == "" {
			f.place.fault("missing: %s", f.why)
		}
	}
	if !p.at("method").at("window").given() && r.Method.Window == 0 {
		p.at("method").at("window").fault("missing: over which time is it measured (9.1 b)? For example: 1h")
	}
	if !p.at("fail").given() && r.Fail.IsZero() {
		p.at("fail").fault("missing: which values are not allowed? For example: \"> 0.25\"")
	}
	if r.Analysed != "" {
		oneOf(p.at("analysed"), r.Analysed, "daily", "weekly", "monthly", "quarterly", "yearly", "on fail")
	}
}

func (r *Rule) checkSubject(p place) {
	at := p.at("subject")
	for i, l := range r.Subject {
		switch {
		case !labelName.MatchString(l):
			at.index(i).fault("%q is not a label's name", l)
		case l == labelSystem:
			at.index(i).fault("%s is always part of the subject; leave it out", l)
		case slices.Contains(r.Subject[:i], l):
			at.index(i).fault("%s is there twice", l)
		}
	}
	if r.Windowed() && (!slices.Contains(r.Subject, labelModel) || !slices.Contains(r.Subject, labelModelVersion)) {
		at.fault("a rule by windows judges every model version: name %s and %s", labelModel, labelModelVersion)
	}
}

func (r *Rule) checkDecision(p place) {
	oneOf(p.at("decide"), string(r.Decide), string(Point), string(Confident))
	if !r.Warn.IsZero() && !r.Fail.IsZero() && !r.Warn.Covers(r.Fail) {
		p.at("warn").fault("%q does not come before fail %q; a warning covers every value that fails", r.Warn, r.Fail)
	}
	r.checkShare(p)
	r.checkSQL(p)
	if r.Method.MinSamples > 0 && r.Samples == "" && r.Of == "" && r.SQL == "" {
		p.at("samples").fault("missing: method.min_samples is %d, and nothing says how many samples a value has", r.Method.MinSamples)
	}
	if r.Method.Margin < 0 || math.IsNaN(r.Method.Margin) || math.IsInf(r.Method.Margin, 0) {
		p.at("method").at("margin").fault("%v is not a half-width; write a number from 0", r.Method.Margin)
	}
	if r.Decide == Confident && r.Lower == "" && r.Upper == "" && r.Of == "" && r.SQL == "" {
		p.at("decide").fault("confident needs the interval: write lower, upper or both")
	}
	if r.Decide == Point && r.Method.Margin != 0 {
		p.at("method").at("margin").fault("only \"decide: confident\" reads it")
	}
}

func (r *Rule) checkTimes(p place) {
	if r.Windowed() {
		if w := r.Method.Window.Std(); w > 0 && w%time.Second != 0 {
			p.at("method").at("window").fault("%s is not a whole number of seconds", r.Method.Window)
		}
		if r.For != (Span{}) && !r.For.InWindows() {
			p.at("for").fault("%q; a rule by windows counts them, for example \"2 windows\"", r.For)
		}
		if !r.NoData.After.InWindows() {
			p.at("no_data").at("after").fault("%q; a rule by windows counts them, for example \"3 windows\"", r.NoData.After)
		}
		return
	}
	if e := r.Every.Std(); e > 0 && e < time.Second {
		p.at("every").fault("%s is shorter than a second", r.Every)
	}
	if r.For.InWindows() {
		p.at("for").fault("%q; a rule by the wall clock has no windows, write for example 30s", r.For)
	}
	if r.NoData.After.InWindows() {
		p.at("no_data").at("after").fault("%q; a rule by the wall clock has no windows, write for example 5m", r.NoData.After)
	}
}

func (r *Rule) checkCohort(p place) {
	at := p.at("method").at("cohort")
	if r.Method.Cohort == Rows && !at.given() {
		return
	}
	oneOf(at, string(r.Method.Cohort), string(Labelled))
	if !r.Windowed() {
		at.fault("a rule by the wall clock has no windows; write \"evaluate: each window\" in place of every")
	}
}

func (r *Rule) checkConsequences(p place) {
	oneOf(p.at("no_data").at("opens"), r.NoData.Opens, OpensObservation, OpensNonconformity)
	if r.NoData.Expect != "" {
		oneOf(p.at("no_data").at("expect"), r.NoData.Expect, ExpectAll, ExpectSeen)
	}
	onFail := p.at("on_fail")
	oneOf(onFail.at("opens"), r.OnFail.Opens, OpensObservation, OpensNonconformity, OpensIncident)
	if r.OnFail.Opens == OpensNonconformity {
		oneOf(onFail.at("severity"), r.OnFail.Severity, "major", "minor")
	} else if r.OnFail.Severity != "" {
		onFail.at("severity").fault("only a nonconformity has one")
	}
	if r.OnFail.Requires != "" {
		oneOf(onFail.at("requires"), r.OnFail.Requires, RequiresCriterion)
	}
	if len(r.Refs[frameworkISO42001]) == 0 {
		p.at("refs").at(frameworkISO42001).fault("missing: which clauses or controls does the rule serve? For example: [\"9.1\", \"A.6.2.6\"]")
	}
}

// checkExpressions parses the PromQL where a parser is given.
func (r *Rule) checkExpressions(p place, parse func(string) error) {
	if parse == nil {
		return
	}
	for _, e := range []struct{ key, text string }{
		{"expr", r.Expr},
		{"of", r.Of},
		{"samples", r.Samples},
		{"lower", r.Lower},
		{"upper", r.Upper},
		{"explain", r.Explain},
		{"ended", r.Ended},
	} {
		if e.text == "" {
			continue
		}
		if err := parse(r.inWindow(e.text)); err != nil {
			p.at(e.key).fault("not PromQL: %v", err)
		}
	}
}
