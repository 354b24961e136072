package clickhouse

import (
	"context"
	"math"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// SumCounted adds windows up in the engine, cell by cell; see
// model.CountReader. Only counts under the same digest of bounds are added:
// sumForEach adds arrays of any meaning without a word.
func (s *Store) SumCounted(ctx context.Context, q model.Counted) ([]model.CountedSum, error) {
	var out []model.CountedSum
	err := s.query(ctx, "sum distributions", `SELECT system, target, feature, bounds, baseline, rate, any(kind),
			sumForEach(counts), sum(missing), sum(other), sum(new), sum(invalid), sum(n), sum(out_of_range),
			sum(sum), sum(sum_squares), minIf(min, NOT isNaN(min)), maxIf(max, NOT isNaN(max)), countIf(NOT isNaN(min)),
			sum(seen), sum(profiled), sum(sampled_out), sum(dropped), sum(undecodable), sum(over_ceiling), sum(unread),
			min(window_start), max(window_end), count(), uniqExact(instance), arraySort(groupUniqArray(model_version))
		FROM (
			SELECT * FROM distributions WHERE `+ended+`
				AND model_name = {model:String} AND target IN ('feature', 'prediction')
				AND ({system:String} = '' OR system = {system:String}) AND ({version:String} = '' OR model_version = {version:String})
				AND ({feature:String} = '' OR feature = {feature:String})
			ORDER BY batch LIMIT 1 BY system, model_version, instance, sequence, window_end, target, feature
		)
		GROUP BY system, target, feature, bounds, baseline, rate
		ORDER BY system, target, feature, bounds, baseline, rate`,
		append(span(q.From, q.To), ch.Named("model", q.Model), ch.Named("system", string(q.System)),
			ch.Named("version", q.Version), ch.Named("feature", string(q.Feature))),
		func(rows driver.Rows) error {
			one, err := scanCounted(rows)
			one.Model.Name = q.Model
			out = append(out, one)
			return err
		})
	return out, err
}

func scanCounted(rows driver.Rows) (model.CountedSum, error) {
	var c model.CountedSum
	var system, target, feature, bounds, baseline, kind string
	var ranged uint64 // windows with a least and a largest value
	err := rows.Scan(&system, &target, &feature, &bounds, &baseline, &c.Rate, &kind,
		&c.Counts, &c.Missing, &c.Other, &c.New, &c.Invalid, &c.N, &c.OutOfRange,
		&c.Sum, &c.SumSquares, &c.Min, &c.Max, &ranged,
		&c.Capture.Seen, &c.Capture.Profiled, &c.Capture.SampledOut, &c.Capture.Dropped, &c.Capture.Undecodable,
		&c.Capture.OverCeiling, &c.Capture.Unread,
		&c.Start, &c.End, &c.Windows, &c.Instances, &c.Versions)
	c.System, c.Target, c.Feature = signal.SystemID(system), signal.Target(target), signal.FeatureName(feature)
	c.Bounds, c.Baseline, c.Kind = signal.Digest(bounds), signal.Digest(baseline), signal.Kind(kind)
	c.Start, c.End = fromStored(c.Start), fromStored(c.End)
	if ranged == 0 {
		c.Min, c.Max = math.NaN(), math.NaN()
	}
	return c, err
}
