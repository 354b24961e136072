package clickhouse

import (
	"context"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// walked selects the edges to walk, each part by one key; see
// model.LineageReader.
var walked = map[model.LineageSide][]string{
	model.Upstream: {
		"to_node IN {nodes:Array(String)} AND relation IN ('flow', 'input', 'version', 'alias')",
		"from_node IN {nodes:Array(String)} AND relation = 'alias'",
	},
	model.Downstream: {
		"from_node IN {nodes:Array(String)} AND relation IN ('flow', 'output', 'alias')",
		"to_node IN {nodes:Array(String)} AND relation IN ('version', 'alias')",
	},
}

// LineageFlows gives the edges of one step of a walk; see model.LineageReader.
func (s *Store) LineageFlows(ctx context.Context, nodes []string, side model.LineageSide, limit int) ([]model.LineageEdge, error) {
	return s.lineageEdges(ctx, walked[side], "from_node, to_node, relation", limit, ch.Named("nodes", nodes))
}

// LineageAround gives what touches a node; see model.LineageReader.
func (s *Store) LineageAround(ctx context.Context, node string, limit int) ([]model.LineageEdge, error) {
	return s.lineageEdges(ctx, []string{"from_node = {node:String}", "to_node = {node:String}"}, "seen DESC, from_node, to_node, relation", limit, ch.Named("node", node))
}

// lineageEdges gives the newest of each edge that meets one of the conditions.
// They are read apart, so that each uses its own index. An edge that several
// systems tell of is one.
func (s *Store) lineageEdges(ctx context.Context, conditions []string, order string, limit int, args ...any) ([]model.LineageEdge, error) {
	const columns = "SELECT from_node, to_node, relation, system, seen_at FROM lineage_edges WHERE "
	var out []model.LineageEdge
	err := s.query(ctx, "read the lineage", `SELECT from_node, to_node, relation, argMax(system, seen_at), max(seen_at) AS seen
		FROM (`+columns+strings.Join(conditions, " UNION ALL "+columns)+`)
		GROUP BY from_node, to_node, relation ORDER BY `+order+` LIMIT {limit:UInt64}`,
		append(args, ch.Named("limit", uint64(limit))),
		func(rows driver.Rows) error {
			var e model.LineageEdge
			var relation, system string
			err := rows.Scan(&e.From, &e.To, &relation, &system, &e.Time)
			e.Relation, e.System, e.Time = model.LineageRelation(relation), signal.SystemID(system), fromStored(e.Time)
			out = append(out, e)
			return err
		})
	return out, err
}

// LineageNamed finds nodes by the end of their ids; see model.LineageReader.
func (s *Store) LineageNamed(ctx context.Context, text string, limit int) ([]string, error) {
	var out []string
	err := s.query(ctx, "find nodes", `SELECT DISTINCT node FROM (SELECT arrayJoin([from_node, to_node]) AS node FROM lineage_edges
			WHERE endsWith(from_node, {text:String}) OR endsWith(to_node, {text:String}))
		WHERE NOT startsWith(node, 'run:') AND (node = {text:String}
			OR endsWith(node, concat('#', {text:String})) OR endsWith(node, concat('/', {text:String})) OR endsWith(node, concat(':', {text:String})))
		ORDER BY node LIMIT {limit:UInt64}`,
		[]any{ch.Named("text", text), ch.Named("limit", uint64(limit))},
		func(rows driver.Rows) error {
			var node string
			err := rows.Scan(&node)
			out = append(out, node)
			return err
		})
	return out, err
}

// LineageEvents gives the newest events that name a node; see
// model.LineageReader.
func (s *Store) LineageEvents(ctx context.Context, node string, limit int) ([]model.LineageEvent, error) {
	var out []model.LineageEvent
	err := s.query(ctx, "read lineage events", `SELECT time, system, kind, event_type, run_id, job, producer, nodes, event
		FROM lineage_events WHERE has(nodes, {node:String}) ORDER BY time DESC, batch DESC, event LIMIT {limit:UInt64}`,
		[]any{ch.Named("node", node), ch.Named("limit", uint64(limit))},
		func(rows driver.Rows) error {
			var e model.LineageEvent
			var system string
			err := rows.Scan(&e.Time, &system, &e.Kind, &e.EventType, &e.RunID, &e.Job, &e.Producer, &e.Nodes, &e.Event)
			e.Time, e.System = fromStored(e.Time), signal.SystemID(system)
			out = append(out, e)
			return err
		})
	return out, err
}

// PredictionsOf finds the answers to a request; see model.LineageReader.
func (s *Store) PredictionsOf(ctx context.Context, system signal.SystemID, id string, limit int) ([]signal.Prediction, error) {
	var out []signal.Prediction
	err := s.query(ctx, "find a prediction", `SELECT system, model_name, model_version, instance, row, time, value, score, trace_id, baseline, run,
			digest_model, digest_index, digest_prompt, digest_transform, declared_run
		FROM predictions WHERE id = {id:String} AND ({system:String} = '' OR system = {system:String})
		ORDER BY system, model_name, model_version, row, time DESC LIMIT {limit:UInt64}`,
		[]any{ch.Named("id", id), ch.Named("system", string(system)), ch.Named("limit", uint64(limit))},
		func(rows driver.Rows) error {
			p := signal.Prediction{ID: id}
			var system, instance, baseline string
			err := rows.Scan(&system, &p.Model.Name, &p.Model.Version, &instance, &p.Row, &p.Time, &p.Value, &p.Score, &p.TraceID, &baseline, &p.Run,
				&p.Lineage[signal.PartModel], &p.Lineage[signal.PartIndex], &p.Lineage[signal.PartPrompt], &p.Lineage[signal.PartTransform], &p.Lineage[signal.PartRun])
			p.System, p.Instance, p.Baseline = signal.SystemID(system), signal.InstanceID(instance), signal.Digest(baseline)
			p.Time = p.Time.UTC()
			out = append(out, p)
			return err
		})
	return out, err
}

// longestWindow bounds how long before a window's end its rows were answered.
const longestWindow = 32 * 24 * time.Hour

// WindowsOf finds the windows that hold an instant; see model.LineageReader.
func (s *Store) WindowsOf(ctx context.Context, system signal.SystemID, m signal.ModelRef, instance signal.InstanceID, at time.Time) ([]model.CountedWindow, error) {
	var out []model.CountedWindow
	err := s.query(ctx, "find windows", `SELECT sequence, window_start, window_end, any(baseline),
			any(lineage_parts), any(lineage_values), any(lineage_requests) FROM distributions
		WHERE `+ended+` AND `+ofLane+` AND instance = {instance:String} AND target != 'outcomes'
			AND toUnixTimestamp64Nano(window_start) <= {at:Int64}
		GROUP BY sequence, window_start, window_end ORDER BY sequence LIMIT 10`,
		append(span(at.Add(-time.Nanosecond), at.Add(longestWindow)), ch.Named("system", string(system)), ch.Named("model", m.Name),
			ch.Named("version", m.Version), ch.Named("instance", string(instance)), ch.Named("at", storable(at).UnixNano())),
		func(rows driver.Rows) error {
			w := model.CountedWindow{ID: signal.WindowID{Instance: instance}}
			var baseline string
			var parts, values []string
			var requests []uint64
			if err := rows.Scan(&w.ID.Sequence, &w.Start, &w.End, &baseline, &parts, &values, &requests); err != nil {
				return err
			}
			w.Start, w.End, w.Baseline = w.Start.UTC(), w.End.UTC(), signal.Digest(baseline)
			for i, name := range parts {
				c := signal.LineageCount{Value: values[i], Requests: requests[i]}
				if err := c.Part.UnmarshalText([]byte(name)); err != nil {
					return errs.E("find windows", errs.Corrupt, err, "")
				}
				w.Lineage = append(w.Lineage, c)
			}
			out = append(out, w)
			return nil
		})
	return out, err
}
