package clickhouse

import (
	"context"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

const evaluationColumns = `id, rule, rule_version, rule_digest, query_digest, system, subject, verdict, value, lower, upper, samples,
	fail_limit, warn_limit, window_start, window_end, window_ids, reason, state, streak, evaluated_at, source,
	run_start, run_windows, run_change, run_least, run_most, run_fewest`

// LatestEvaluations gives the newest evaluation of every rule and subject
// whose time (the window's end, or without a window when it was evaluated) is
// not before since; ordered by rule, system and subject. Alerts of others are not
// among them: no streak goes on from them.
func (s *Store) LatestEvaluations(ctx context.Context, since time.Time) ([]model.Evaluation, error) {
	since = storable(since)
	return s.evaluations(ctx, `SELECT `+evaluationColumns+` FROM
		(SELECT * FROM evaluations WHERE source = '' AND toDate(time) >= {first:Date} AND toUnixTimestamp64Nano(time) >= {since:Int64}
		 ORDER BY time DESC, evaluated_at DESC, id LIMIT 1 BY rule, system, subject_key)
		ORDER BY rule, system, subject_key`,
		ch.Named("first", since.Format(time.DateOnly)), ch.Named("since", since.UnixNano()))
}

// Evaluations gives the runs of evaluations that reach into (from, to], newest
// first; see model.EvaluationReader. A run that goes on after to is given as it
// is now. A limit of 0 or less means 1,000.
func (s *Store) Evaluations(ctx context.Context, rule signal.RuleID, from, to time.Time, limit int) ([]model.Evaluation, error) {
	if limit <= 0 {
		limit = 1000
	}
	return s.evaluations(ctx, `SELECT `+evaluationColumns+` FROM
		(SELECT * FROM evaluations WHERE toDate(time) BETWEEN {first:Date} AND toLastDayOfMonth({last:Date})
		 AND toUnixTimestamp64Nano(time) > {from:Int64} AND toUnixTimestamp64Nano(run_start) <= {to:Int64}
		 AND ({rule:String} = '' OR rule = {rule:String})
		 ORDER BY time DESC, evaluated_at DESC, id LIMIT 1 BY rule, system, subject_key, rule_digest, source, run_start)
		ORDER BY time DESC, evaluated_at DESC, rule, system, subject_key, id LIMIT {limit:UInt64}`,
		append(span(from, to), ch.Named("rule", string(rule)), ch.Named("limit", uint64(limit)))...)
}

func (s *Store) evaluations(ctx context.Context, text string, args ...any) ([]model.Evaluation, error) {
	var out []model.Evaluation
	err := s.query(ctx, "read evaluations", text, args, func(rows driver.Rows) error {
		var e model.Evaluation
		var version, streak int32
		var rule, ruleDigest, queryDigest, system, verdict, state string
		err := rows.Scan(&e.ID, &rule, &version, &ruleDigest, &queryDigest, &system, &e.Subject, &verdict,
			&e.Value, &e.Lower, &e.Upper, &e.Samples, &e.FailLimit, &e.WarnLimit, &e.WindowStart, &e.WindowEnd,
			&e.WindowIDs, &e.Reason, &state, &streak, &e.EvaluatedAt, &e.Source,
			&e.Run.From, &e.Run.Windows, &e.Run.Change, &e.Run.Least, &e.Run.Most, &e.Run.Fewest)
		e.Rule, e.RuleVersion, e.Streak = signal.RuleID(rule), int(version), int(streak)
		e.RuleDigest, e.QueryDigest = signal.Digest(ruleDigest), signal.Digest(queryDigest)
		e.System, e.Verdict, e.State = signal.SystemID(system), signal.Verdict(verdict), model.RuleState(state)
		e.WindowStart, e.WindowEnd, e.EvaluatedAt = fromStored(e.WindowStart), fromStored(e.WindowEnd), fromStored(e.EvaluatedAt)
		e.Run.From = fromStored(e.Run.From)
		out = append(out, e)
		return err
	})
	return out, err
}

// Deliveries gives the newest delivery of every sink and event, ordered by
// sink and time; see model.RegisterReader.
func (s *Store) Deliveries(ctx context.Context) ([]model.Delivery, error) {
	var out []model.Delivery
	err := s.query(ctx, "read deliveries", `SELECT sink, event, attempt, ok, ticket, error, time FROM
		(SELECT * FROM deliveries ORDER BY time DESC, attempt DESC LIMIT 1 BY sink, event)
		ORDER BY sink, time, event`, nil,
		func(rows driver.Rows) error {
			var d model.Delivery
			var attempt int32
			err := rows.Scan(&d.Sink, &d.Event, &attempt, &d.OK, &d.Ticket, &d.Error, &d.Time)
			d.Attempt, d.Time = int(attempt), fromStored(d.Time)
			out = append(out, d)
			return err
		})
	return out, err
}
