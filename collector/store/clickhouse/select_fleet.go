package clickhouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// ended selects by day first, which skips whole partitions, and then exactly.
const ended = `toDate(window_end) BETWEEN {first:Date} AND {last:Date}
	AND toUnixTimestamp64Nano(window_end) > {from:Int64} AND toUnixTimestamp64Nano(window_end) <= {to:Int64}`

// span gives the parameters of a range of times.
func span(from, to time.Time) []any {
	from, to = storable(from), storable(to)
	return []any{
		ch.Named("first", from.Format(time.DateOnly)), ch.Named("last", to.Format(time.DateOnly)),
		ch.Named("from", from.UnixNano()), ch.Named("to", to.UnixNano()),
	}
}

// query runs a read and hands every row to scan.
func (s *Store) query(ctx context.Context, op, text string, args []any, scan func(driver.Rows) error) error {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, text, args...)
	if err != nil {
		return classify(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return classify(op, err)
		}
	}
	return classify(op, rows.Err())
}

// DistributionsBetween gives what agents counted; see model.WindowReader.
func (s *Store) DistributionsBetween(ctx context.Context, system signal.SystemID, from, to time.Time) ([]*signal.Distribution, error) {
	return s.distributions(ctx, "read distributions", `target != 'outcomes' AND ({system:String} = '' OR system = {system:String})`,
		append(span(from, to), ch.Named("system", string(system))))
}

// OutcomesBetween gives what agents counted of labels; see model.CohortReader.
func (s *Store) OutcomesBetween(ctx context.Context, system signal.SystemID, m signal.ModelRef, from, to time.Time) ([]*signal.Distribution, error) {
	return s.distributions(ctx, "read outcomes", `target = 'outcomes' AND `+ofLane, append(span(from, to),
		ch.Named("system", string(system)), ch.Named("model", m.Name), ch.Named("version", m.Version)))
}

// distributions gives those that ended within span and meet a condition.
func (s *Store) distributions(ctx context.Context, op, condition string, args []any) ([]*signal.Distribution, error) {
	var out []*signal.Distribution
	err := s.query(ctx, op, `SELECT system, model_name, model_version, instance, sequence, window_start, window_end,
			parts, baseline, bounds, target, feature, kind, counts, missing, other, new, invalid, n, sum, sum_squares, min, max,
			group_names, group_favourable, group_total, group_requests, seen, profiled, sampled_out, dropped, undecodable,
			out_of_range, rate, held, embedded, distinct, estimated, cohort, over_ceiling, unread
		FROM distributions WHERE `+ended+` AND `+condition+`
		ORDER BY system, model_name, model_version, instance, sequence, target, feature`, args,
		func(rows driver.Rows) error {
			d, err := scanDistribution(rows)
			out = append(out, d)
			return err
		})
	return out, err
}

func scanDistribution(rows driver.Rows) (*signal.Distribution, error) {
	d := &signal.Distribution{}
	var parts uint32
	var system, instance, baseline, bounds, target, feature, kind string
	var names []string
	var favourable, total []uint64
	var requests []string
	var distinct, estimated, cohort string
	err := rows.Scan(&system, &d.Model.Name, &d.Model.Version, &instance, &d.Window.Sequence, &d.Start, &d.End,
		&parts, &baseline, &bounds, &target, &feature, &kind, &d.Counts, &d.Missing, &d.Other, &d.New, &d.Invalid,
		&d.N, &d.Sum, &d.SumSquares, &d.Min, &d.Max, &names, &favourable, &total, &requests,
		&d.Capture.Seen, &d.Capture.Profiled, &d.Capture.SampledOut, &d.Capture.Dropped, &d.Capture.Undecodable,
		&d.OutOfRange, &d.Rate, &d.Held, &d.Embedded, &distinct, &estimated, &cohort,
		&d.Capture.OverCeiling, &d.Capture.Unread)
	if err != nil {
		return nil, err
	}
	d.System, d.Window.Instance = signal.SystemID(system), signal.InstanceID(instance)
	d.Baseline, d.Bounds = signal.Digest(baseline), signal.Digest(bounds)
	d.Target, d.Feature, d.Kind = signal.Target(target), signal.FeatureName(feature), signal.Kind(kind)
	d.Parts, d.Start, d.End = int(parts), fromStored(d.Start), fromStored(d.End)
	if len(d.Embedded) == 0 {
		d.Embedded = nil
	}
	for i, name := range names {
		g := signal.GroupCount{Group: name, Favourable: favourable[i], Total: total[i]}
		if i < len(requests) { // none in rows from before there were any
			err = errors.Join(err, fromJSON(requests[i], &g.Requests))
		}
		d.Groups = append(d.Groups, g)
	}
	if distinct != "" {
		d.Distinct = &measure.HyperLogLog{}
		err = errors.Join(err, d.Distinct.UnmarshalBinary([]byte(distinct)))
	}
	err = errors.Join(err, fromJSON(estimated, &d.Estimated), fromJSON(cohort, &d.Outcomes))
	if err != nil {
		return nil, errs.E(fmt.Sprintf("read %s of window %s", d.Feature, d.Window), errs.Corrupt, err, "")
	}
	return d, nil
}

// fromJSON reads what optionalJSON wrote.
func fromJSON[T any](text string, into **T) error {
	if text == "" {
		return nil
	}
	*into = new(T)
	return json.Unmarshal([]byte(text), *into)
}

// FleetWindows gives what fleet sealed; see model.WindowReader.
func (s *Store) FleetWindows(ctx context.Context, from, to time.Time) ([]model.FleetWindow, error) {
	var out []model.FleetWindow
	err := s.query(ctx, "read fleet windows", `SELECT system, model_name, model_version, length_ns, window_start, window_end,
			window_ids, instances, absent, gaps, rows, sealed_at, explanations, cohort, revision
		FROM fleet_windows WHERE `+ended+` ORDER BY window_end, system, model_name, model_version, length_ns, cohort != '', revision`, span(from, to),
		func(rows driver.Rows) error {
			var w model.FleetWindow
			var system string
			var length int64
			var explained map[string]string
			err := rows.Scan(&system, &w.Model.Name, &w.Model.Version, &length, &w.Start, &w.End,
				&w.WindowIDs, &w.Instances, &w.Absent, &w.Gaps, &w.Rows, &w.SealedAt, &explained, &w.Cohort, &w.Revision)
			for name, text := range explained {
				if w.Explanations == nil {
					w.Explanations = map[signal.FeatureName]string{}
				}
				w.Explanations[signal.FeatureName(name)] = text
			}
			w.System, w.Length = signal.SystemID(system), time.Duration(length)
			w.Start, w.End, w.SealedAt = fromStored(w.Start), fromStored(w.End), fromStored(w.SealedAt)
			out = append(out, w)
			return err
		})
	return out, err
}

// Baseline gives a declared baseline; see model.WindowReader.
func (s *Store) Baseline(ctx context.Context, digest signal.Digest) (*signal.Baseline, error) {
	op := "read baseline " + digest.Short()
	var content []string
	err := s.query(ctx, op, "SELECT content FROM baselines WHERE digest = {digest:String} ORDER BY seen_at DESC LIMIT 1",
		[]any{ch.Named("digest", string(digest))},
		func(rows driver.Rows) error {
			var c string
			err := rows.Scan(&c)
			content = append(content, c)
			return err
		})
	if err != nil {
		return nil, err
	}
	if len(content) == 0 {
		return nil, errs.E(op, errs.NotFound, fmt.Errorf("no agent has declared it"), "")
	}
	b := &signal.Baseline{}
	if err := json.Unmarshal([]byte(content[0]), b); err != nil {
		return nil, errs.E(op, errs.Corrupt, err, "")
	}
	return b, nil
}
