package evaluate

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func rule(t interface{ Fatal(...any) }, fail, warn string, decide rules.Decide, minSamples uint64, margin float64) *rules.Effective {
	r := &rules.Effective{Rule: rules.Rule{
		ID: "X-01", Decide: decide, Subject: []string{labelModel, labelModelVersion, "f"},
		Method: rules.Method{Statistic: "psi", MinSamples: minSamples, Margin: margin, Window: config.Duration(time.Hour)},
	}}
	for text, into := range map[string]*rules.Limit{fail: &r.Fail, warn: &r.Warn} {
		if text == "" {
			continue
		}
		l, err := rules.ParseLimit(text)
		if err != nil {
			t.Fatal(err)
		}
		*into = l
	}
	return r
}

func TestDecide(t *testing.T) {
	point := rule(t, "> 0.25", "> 0.1", rules.Point, 100, 0)
	band := rule(t, "outside [-0.1, 0.1]", "", rules.Confident, 100, 0.1)
	open := math.Inf(1) // stands for no limit
	for _, c := range []struct {
		name                string
		rule                *rules.Effective
		value, lower, upper float64
		samples             uint64
		verdict             signal.Verdict
		why                 measure.Ground
	}{
		{"below", point, 0.05, open, open, 1000, signal.Pass, measure.GroundAllowed},
		{"at the warning", point, 0.1, open, open, 1000, signal.Pass, measure.GroundAllowed},
		{"warns", point, 0.2, open, open, 1000, signal.Warn, measure.GroundWarned},
		{"at the limit", point, 0.25, open, open, 1000, signal.Warn, measure.GroundWarned},
		{"fails", point, 0.26, open, open, 100, signal.Fail, measure.GroundBreached},
		{"few samples", point, 0.9, open, open, 99, signal.NoData, measure.GroundFewSamples},
		{"not a number", point, math.NaN(), open, open, 1000, signal.NoData, measure.GroundNotFinite},
		{"infinite", point, math.Inf(-1), open, open, 1000, signal.NoData, measure.GroundNotFinite},
		{"interval excludes the band", band, -0.3, -0.4, -0.2, 1000, signal.Fail, measure.GroundBreached},
		{"few samples never hide a fail", band, 0.9, 0.7, 0.95, 3, signal.Fail, measure.GroundBreached},
		{"few samples hide a pass", band, 0, -0.05, 0.05, 3, signal.NoData, measure.GroundFewSamples},
		{"interval in the band", band, 0.01, -0.09, 0.1, 1000, signal.Pass, measure.GroundAllowed},
		{"value out, interval in part", band, 0.12, 0.09, 0.15, 1000, signal.Warn, measure.GroundInconclusive},
		{"value in, interval narrow", band, 0.05, -0.04, 0.14, 1000, signal.Pass, measure.GroundNotShown},
		{"value in, interval wide", band, 0.05, -0.2, 0.3, 1000, signal.NoData, measure.GroundUnderpowered},
		{"value in, no upper limit", band, 0.05, -0.04, open, 1000, signal.NoData, measure.GroundUnderpowered},
		{"only a lower limit, beyond", band, 0.3, 0.2, open, 1000, signal.Fail, measure.GroundBreached},
		{"no interval", band, 0.3, open, open, 1000, signal.Warn, measure.GroundInconclusive},
	} {
		r := &reading{value: c.value, samples: c.samples, subject: map[string]string{"f": "income"}}
		if c.lower != open {
			r.lower = &c.lower
		}
		if c.upper != open {
			r.upper = &c.upper
		}
		verdict, why := decide(c.rule, r)
		if verdict != c.verdict || why != c.why {
			t.Errorf("%s: %s, %s; want %s, %s", c.name, verdict, why, c.verdict, c.why)
		}
		if s := reason(c.rule, r.subject, r, why, 1); !strings.HasPrefix(s, "PSI of income is ") {
			t.Errorf("%s: %q", c.name, s)
		}
	}
	if v, why := decide(point, nil); v != signal.NoData || why != measure.GroundAbsent {
		t.Errorf("nothing: %s, %s", v, why)
	}
}

// A confident fail stays a fail when the interval shrinks inside itself and
// whatever the number of samples; a pass is never given to a breach that the
// interval proves.
func TestConfidentLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rule(t, rapid.SampledFrom([]string{"> 0.2", "< 0.8", "outside [-0.1, 0.1]"}).Draw(t, "limit"), "", rules.Confident,
			rapid.Uint64Range(0, 50).Draw(t, "min"), rapid.Float64Range(0, 1).Draw(t, "margin"))
		lower := rapid.Float64Range(-2, 2).Draw(t, "lower")
		upper := lower + rapid.Float64Range(0, 1).Draw(t, "width")
		value := lower + rapid.Float64Range(0, 1).Draw(t, "share")*(upper-lower)
		verdict, _ := decide(r, &reading{value: value, lower: &lower, upper: &upper, samples: rapid.Uint64Range(0, 100).Draw(t, "n")})
		if verdict == signal.Fail {
			narrow, _ := decide(r, &reading{value: value, lower: &value, upper: &value})
			if narrow != signal.Fail {
				t.Fatalf("[%v, %v] fails, %v alone is %s", lower, upper, value, narrow)
			}
		}
		if r.Fail.Breached(lower) && r.Fail.Breached(upper) && r.Fail.Excludes(&lower, &upper) && verdict != signal.Fail {
			t.Fatalf("[%v, %v] is all beyond %s and is %s", lower, upper, r.Fail, verdict)
		}
		if r.Fail.Breached(value) && verdict == signal.Pass {
			t.Fatalf("%v breaches %s and passes", value, r.Fail)
		}
	})
}

func TestStreakAndState(t *testing.T) {
	r := rule(t, "> 1", "", rules.Point, 0, 0)
	for _, s := range []struct {
		text string
		into *rules.Span
	}{{"2 windows", &r.For}, {"3 windows", &r.NoData.After}} {
		span, err := rules.ParseSpan(s.text)
		if err != nil {
			t.Fatal(err)
		}
		*s.into = span
	}
	at := time.Unix(0, 0)
	var last model.Evaluation
	known := false
	step := func(v signal.Verdict, digest signal.Digest, gap time.Duration) (int, model.RuleState) {
		ev := model.Evaluation{Verdict: v, RuleDigest: digest, WindowStart: at.Add(gap), WindowEnd: at.Add(gap + time.Hour)}
		ev.Streak = streak(r, &ev, &last, known)
		ev.State = state(r, &ev, &model.Evaluation{})
		last, known, at = ev, true, ev.WindowEnd
		return ev.Streak, ev.State
	}
	for i, c := range []struct {
		verdict signal.Verdict
		digest  signal.Digest
		gap     time.Duration
		streak  int
		state   model.RuleState
	}{
		{signal.Pass, "a", 0, 1, model.StateOK},
		{signal.Warn, "a", 0, 2, model.StateOK}, // the same side
		{signal.Fail, "a", 0, 1, model.StatePending},
		{signal.Fail, "a", 0, 2, model.StateFiring},
		{signal.Fail, "a", 0, 3, model.StateFiring},
		{signal.Fail, "a", time.Hour, 1, model.StatePending}, // a window was left out: not in a row
		{signal.Fail, "b", 0, 1, model.StatePending},         // another rule
		{signal.NoData, "b", 0, 1, model.StatePending},
		{signal.NoData, "b", 0, 2, model.StatePending},
		{signal.NoData, "b", 0, 3, model.StateFiring},
		{signal.Error, "b", 0, 1, model.StatePending},
		{signal.Fail, "b", 0, 1, model.StatePending},
	} {
		if n, s := step(c.verdict, c.digest, c.gap); n != c.streak || s != c.state {
			t.Errorf("%d: %s is %d, %s; want %d, %s", i, c.verdict, n, s, c.streak, c.state)
		}
	}
}
