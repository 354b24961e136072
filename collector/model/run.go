package model

import "time"

// Run is how equal verdicts on one subject are kept: the verdict that changed
// something stands by itself, and those that follow and say the same, one window
// after the other, are one row that grows. So a year of passes takes a few rows,
// it is known of every window whether it was judged, and the verdict with which
// a record opens or clears keeps its id.
//
// A run never passes over a gap: a window that was not judged ends it. It also
// ends with the month (UTC), since the store is cut by months.
type Run struct {
	From    time.Time // end of its first window
	Windows uint64    // verdicts in it
	Change  bool      // a verdict that differs from the one before; it stands alone
	Least   *float64  // of the values; nil: none had one
	Most    *float64
	Fewest  uint64 // samples that any of its values rests on
}

// At is the time that orders a rule's evaluations: the window's end, rather than
// the time of evaluating, so that evaluating the same window again after a crash
// is recognised. Without a window it is when it was evaluated.
func (e *Evaluation) At() time.Time {
	if e.WindowEnd.IsZero() {
		return e.EvaluatedAt
	}
	return e.WindowEnd
}

// Alone is the run of an evaluation that goes on from no other.
func (e *Evaluation) Alone() Run {
	return Run{From: e.At(), Windows: 1, Change: true, Least: e.Value, Most: e.Value, Fewest: e.Samples}
}

// After gives the run of an evaluation that comes after last, the zero value
// where there is none. Step is the time from one evaluation of the rule to the
// next.
func (e *Evaluation) After(last *Evaluation, step time.Duration) Run {
	run := e.Alone()
	if !e.saysTheSame(last) || !e.At().Equal(last.At().Add(step)) {
		return run
	}
	run.Change = false
	if last.Run.Change || month(last.At()) != month(e.At()) {
		return run // the first that is not kept by itself
	}
	run.From, run.Windows = last.Run.From, last.Run.Windows+1
	run.Least, run.Most = lesser(last.Run.Least, e.Value), greater(last.Run.Most, e.Value)
	run.Fewest = min(last.Run.Fewest, e.Samples)
	return run
}

// saysTheSame tells whether nothing that an auditor would ask for differs but
// the figures.
func (e *Evaluation) saysTheSame(o *Evaluation) bool {
	return e.Verdict == o.Verdict && e.State == o.State && e.RuleDigest == o.RuleDigest && e.QueryDigest == o.QueryDigest &&
		e.FailLimit == o.FailLimit && e.WarnLimit == o.WarnLimit && e.Source == o.Source && (e.Value == nil) == (o.Value == nil)
}

// month counts months, in UTC.
func month(t time.Time) int {
	t = t.UTC()
	return t.Year()*12 + int(t.Month())
}

func lesser(a, b *float64) *float64 {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func greater(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
