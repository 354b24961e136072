package clickhouse

import (
	"context"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Baselines lists what was declared or pushed; see model.BaselineReader.
func (s *Store) Baselines(ctx context.Context, f model.BaselineFilter, limit int) ([]model.BaselineInfo, error) {
	var out []model.BaselineInfo
	err := s.query(ctx, "list baselines", `SELECT digest, system, model_name, model_version, seen_at,
			JSONExtractString(content, 'source'), JSONExtractUInt(content, 'rows'), JSONLength(content, 'features')
		FROM baselines FINAL
		WHERE ({digest:String} = '' OR digest = {digest:String}) AND startsWith(digest, {prefix:String})
			AND ({system:String} = '' OR system = {system:String}) AND ({model:String} = '' OR model_name = {model:String})
		ORDER BY seen_at DESC, digest, system, model_name, model_version LIMIT {limit:UInt64}`,
		[]any{
			ch.Named("digest", string(f.Digest)), ch.Named("prefix", f.Prefix), ch.Named("system", string(f.System)),
			ch.Named("model", f.Model), ch.Named("limit", uint64(limit)),
		},
		func(rows driver.Rows) error {
			var b model.BaselineInfo
			var digest, system string
			err := rows.Scan(&digest, &system, &b.Model.Name, &b.Model.Version, &b.SeenAt, &b.Source, &b.Rows, &b.Features)
			b.Digest, b.System, b.SeenAt = signal.Digest(digest), signal.SystemID(system), b.SeenAt.UTC()
			out = append(out, b)
			return err
		})
	return out, err
}

// BaselinesInUse says what windows were compared with; see
// model.BaselineReader.
func (s *Store) BaselinesInUse(ctx context.Context, from, to time.Time) ([]model.BaselineUse, error) {
	var out []model.BaselineUse
	err := s.query(ctx, "find baselines in use", `SELECT system, model_name, model_version, argMax(baseline, (window_end, baseline)), max(window_end)
		FROM distributions WHERE `+ended+` AND baseline != ''
		GROUP BY system, model_name, model_version ORDER BY system, model_name, model_version`, span(from, to),
		func(rows driver.Rows) error {
			var u model.BaselineUse
			var system, digest string
			err := rows.Scan(&system, &u.Model.Name, &u.Model.Version, &digest, &u.LastSeen)
			u.System, u.Digest, u.LastSeen = signal.SystemID(system), signal.Digest(digest), u.LastSeen.UTC()
			out = append(out, u)
			return err
		})
	return out, err
}
