package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// PartsInUse says what stood behind the requests of windows; see
// model.DeploymentReader. All events of a window say the same, so one of them
// counts.
func (s *Store) PartsInUse(ctx context.Context, from, to time.Time) ([]model.PartInUse, error) {
	var out []model.PartInUse
	err := s.query(ctx, "find what is in service", `WITH windows AS (
			SELECT system, model_name, model_version, instance, sequence, max(window_end) AS ended, max(profiled) AS requests,
				argMax(lineage_parts, length(lineage_parts)) AS parts, argMax(lineage_values, length(lineage_parts)) AS vals,
				argMax(lineage_requests, length(lineage_parts)) AS counts
			FROM distributions WHERE `+ended+`
			GROUP BY system, model_name, model_version, instance, sequence)
		SELECT system, model_name, model_version, part, value, sum(n) AS total, max(ended) FROM (
			SELECT system, model_name, model_version, ended, part, value, n FROM windows ARRAY JOIN parts AS part, vals AS value, counts AS n
			UNION ALL
			SELECT system, model_name, model_version, ended, 'version', model_version, requests FROM windows WHERE model_version != '')
		WHERE n > 0
		GROUP BY system, model_name, model_version, part, value ORDER BY system, model_name, model_version, part, value`, span(from, to),
		func(rows driver.Rows) error {
			var p model.PartInUse
			var system string
			err := rows.Scan(&system, &p.Model.Name, &p.Model.Version, &p.Part, &p.Value, &p.Requests, &p.Last)
			p.System, p.Last = signal.SystemID(system), p.Last.UTC()
			out = append(out, p)
			return err
		})
	return out, err
}

// ChangesTold gives the changes that agents told; see model.DeploymentReader.
func (s *Store) ChangesTold(ctx context.Context, from, to time.Time) ([]model.ChangeTold, error) {
	var out []model.ChangeTold
	err := s.query(ctx, "find changes of models", `SELECT ResourceAttributes['`+signal.KeySystemID+`'] AS system, LogAttributes['`+signal.KeyModelName+`'] AS name,
			LogAttributes['`+signal.KeyChangeOf+`'] AS of, LogAttributes['`+signal.KeyChangeNew+`'] AS new, count()
		FROM otel_logs
		WHERE EventName = '`+signal.EventModelChanged+`' AND toDate(Timestamp) BETWEEN {first:Date} AND {last:Date}
			AND toUnixTimestamp64Nano(Timestamp) > {from:Int64} AND toUnixTimestamp64Nano(Timestamp) <= {to:Int64}
		GROUP BY system, name, of, new ORDER BY system, name, of, new`, span(from, to),
		func(rows driver.Rows) error {
			var c model.ChangeTold
			var system string
			err := rows.Scan(&system, &c.Model, &c.Of, &c.New, &c.Times)
			c.System = signal.SystemID(system)
			out = append(out, c)
			return err
		})
	return out, err
}
