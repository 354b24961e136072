package evaluate

import (
	"context"
	"math"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

// sqlMaxRows is how many values one SELECT may yield.
const sqlMaxRows = 10_000

// measureSQL runs the SELECT of a rule over the occasion's window.
func (e *Evaluator) measureSQL(ctx context.Context, rule *rules.Effective, o *occasion) (readings, error) {
	var out readings
	digest, err := canonical.Digest([]string{rule.SQL, string(o.system), rule.Method.Window.String()})
	if err != nil {
		return out, err
	}
	out.digest = signal.Digest(digest)
	rows, err := e.askSQL(ctx, model.SQLQuery{
		Text: rule.SQL, System: o.system, From: o.end.Add(-rule.Method.Window.Std()), To: o.end,
		Timeout: e.options.QueryTimeout, MaxRows: sqlMaxRows,
	})
	if err != nil {
		return out, err
	}
	for i := range rows {
		r, there := sqlReading(rule, o, &rows[i])
		if there && o.about(r.subject) {
			out.list = append(out.list, r)
		}
	}
	if rule.Ended != "" {
		return e.withEnded(ctx, rule, o, out)
	}
	return out, nil
}

// sqlReading is what one row says; a row without a value says nothing.
func sqlReading(rule *rules.Effective, o *occasion, row *model.SQLRow) (reading, bool) {
	subject := map[string]string{labelSystem: string(o.system)}
	for _, name := range rule.Subject {
		if v := row.Labels[name]; v != "" {
			subject[name] = v
		}
	}
	if row.Whole != nil {
		part := 0.0
		if row.Part != nil {
			part = *row.Part
		}
		return shareReading(subject, part, *row.Whole)
	}
	if row.Value == nil {
		return reading{}, false
	}
	r := reading{subject: subject, value: *row.Value, lower: row.Lower, upper: row.Upper}
	if row.Samples != nil && *row.Samples > 0 {
		r.samples = uint64(math.Round(*row.Samples))
	}
	return r, true
}
