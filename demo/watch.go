package demo

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/demo/narrate"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// pollEvery is how often the watcher asks the collector.
const pollEvery = 500 * time.Millisecond

// watcher asks the collector what it has judged and opened, and tells it line
// by line.
type watcher struct {
	client *collectorClient
	say    *narrate.Narrator
	rules  *rules.Set
	slot   time.Duration
	begun  time.Time // of the stream

	told    time.Time // end of the newest window that was told
	known   map[string]bool
	Records []Record // opened so far, oldest first
}

// Poll asks once. An error is the collector's not answering.
func (w *watcher) Poll(ctx context.Context) error {
	since := w.begun
	if w.told.After(since) {
		since = w.told
	}
	var found []verdict
	for _, rule := range judged {
		list, err := w.client.verdicts(ctx, rule, since.Add(-2*w.slot))
		if err != nil {
			return err
		}
		found = append(found, list...)
	}
	for _, j := range byWindow(found) {
		if j.end.After(w.told) {
			w.told = j.end
			w.say.Say(j.tone(), "%s", j)
		}
	}
	records, err := w.client.records(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(records, func(a, b model.Record) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.Ref, b.Ref))
	})
	for _, r := range records {
		if !w.known[r.ID] {
			w.known[r.ID] = true
			w.tellRecord(r)
		}
	}
	return nil
}

// tellRecord tells of a record once. Only nonconformities go into the account:
// an observation says that something could not be judged, or was no requirement.
func (w *watcher) tellRecord(r model.Record) {
	tone := narrate.Notice
	if r.Kind == rules.OpensNonconformity {
		tone = narrate.Alarm
	}
	w.say.Say(tone, "%s opened: %s by %s, %s\n%s", r.Kind, r.Ref, r.Rule, r.RuleTitle, r.Statement)
	if r.Kind != rules.OpensNonconformity {
		return
	}
	group := ""
	if rule := w.rules.Rule(r.System, r.Rule); rule != nil {
		group = rule.Group()
	}
	w.Records = append(w.Records, Record{
		ID: cmp.Or(r.Ref, r.ID), Rule: r.Rule, Group: group, Subject: r.Subject, Value: r.Value,
		Opened: math.Round(r.OpenedAt.Sub(w.begun).Seconds()*10) / 10,
	})
}

// judgement is what the rules said about one sealed window.
type judgement struct {
	end    time.Time
	rows   uint64
	drift  *verdict // of the feature that moved most
	parity *verdict // of the group that is furthest from its reference
}

// byWindow groups verdicts by their window, oldest first. Verdicts of one
// window become visible rule by rule, so the newest window is left out until
// both rules have spoken.
func byWindow(found []verdict) []judgement {
	windows := map[int64]*judgement{}
	for i := range found {
		v := &found[i]
		j := windows[v.WindowEnd.UnixNano()]
		if j == nil {
			j = &judgement{end: v.WindowEnd}
			windows[v.WindowEnd.UnixNano()] = j
		}
		j.add(v)
	}
	var out []judgement
	for _, j := range windows {
		out = append(out, *j)
	}
	slices.SortFunc(out, func(a, b judgement) int { return a.end.Compare(b.end) })
	if n := len(out); n > 0 && (out[n-1].drift == nil || out[n-1].parity == nil) {
		out = out[:n-1]
	}
	return out
}

func (j *judgement) add(v *verdict) {
	j.rows = max(j.rows, v.Samples)
	worst := &j.drift
	if v.Rule == judged[1] {
		worst = &j.parity
	}
	if *worst == nil || distance(v) > distance(*worst) {
		*worst = v
	}
}

// distance is how far a value is from what nothing happening would give; a
// subject without a value comes last.
func distance(v *verdict) float64 {
	if v.Value == nil {
		return -1
	}
	return math.Abs(*v.Value)
}

// String is the line for people.
func (j judgement) String() string {
	text := fmt.Sprintf("window judged: %5d rows", j.rows)
	if v := j.drift; v != nil {
		text += "   drift " + said(v, "%.3f") + " " + subjectText(v.Subject)
	}
	if v := j.parity; v != nil && v.Subject["evenkeel_group"] != "" {
		text += "   approval gap " + said(v, "%+.3f") + " " + v.Subject["evenkeel_group"]
	}
	return text
}

// said gives value, interval and verdict.
func said(v *verdict, format string) string {
	if v.Value == nil {
		return string(v.Verdict)
	}
	text := fmt.Sprintf(format, *v.Value)
	if v.Lower != nil && v.Upper != nil {
		text += fmt.Sprintf(" ["+format+", "+format+"]", *v.Lower, *v.Upper)
	}
	return text + " " + string(v.Verdict)
}

func (j judgement) tone() narrate.Tone {
	tone := narrate.Quiet
	for _, v := range []*verdict{j.drift, j.parity} {
		if v == nil {
			continue
		}
		switch v.Verdict {
		case signal.Fail:
			return narrate.Alarm
		case signal.Warn, signal.Error:
			tone = narrate.Notice
		}
	}
	return tone
}
