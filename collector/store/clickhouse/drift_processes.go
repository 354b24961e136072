package clickhouse

import (
	"context"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

var driftProcessesTable = table[model.DriftProcess]{
	name:       "drift_processes",
	timeColumn: "window_end",
	day:        func(p *model.DriftProcess) time.Time { return p.WindowEnd },
	columns: []column[model.DriftProcess]{
		field("system", "String", func(p *model.DriftProcess) string { return string(p.System) }),
		field("model_name", "String", func(p *model.DriftProcess) string { return p.Model.Name }),
		field("model_version", "String", func(p *model.DriftProcess) string { return p.Model.Version }),
		field("length_ns", "Int64", func(p *model.DriftProcess) int64 { return int64(p.Length) }),
		field("baseline", "String", func(p *model.DriftProcess) string { return string(p.Baseline) }),
		field("target", "String", func(p *model.DriftProcess) string { return string(p.Target) }),
		field("feature", "String", func(p *model.DriftProcess) string { return string(p.Feature) }),
		moment("window_end", func(p *model.DriftProcess) time.Time { return p.WindowEnd }),
		field("windows", "UInt64", func(p *model.DriftProcess) uint64 { return p.Evidence.Windows }),
		field("rows", "UInt64", func(p *model.DriftProcess) uint64 { return p.Evidence.Rows }),
		field("log_started", "Float64", func(p *model.DriftProcess) float64 { return p.Evidence.LogStarted }),
		field("earlier", "Array(Float64)", func(p *model.DriftProcess) []float64 { return p.Evidence.Earlier }),
	},
}

// DriftProcesses gives what drift processes had seen; see model.WindowReader.
func (s *Store) DriftProcesses(ctx context.Context, system signal.SystemID, m signal.ModelRef, length time.Duration, before time.Time) ([]model.DriftProcess, error) {
	var out []model.DriftProcess
	err := s.query(ctx, "read drift processes", `SELECT baseline, target, feature, window_end, windows, rows, log_started, earlier
		FROM drift_processes
		WHERE system = {system:String} AND model_name = {model:String} AND model_version = {version:String} AND length_ns = {length:Int64}
			AND toUnixTimestamp64Nano(window_end) < {before:Int64}
		ORDER BY baseline, target, feature, window_end DESC
		LIMIT 1 BY baseline, target, feature`,
		[]any{
			ch.Named("system", string(system)), ch.Named("model", m.Name), ch.Named("version", m.Version),
			ch.Named("length", int64(length)), ch.Named("before", storable(before).UnixNano()),
		},
		func(rows driver.Rows) error {
			p := model.DriftProcess{System: system, Model: m, Length: length}
			var baseline, target, feature string
			err := rows.Scan(&baseline, &target, &feature, &p.WindowEnd,
				&p.Evidence.Windows, &p.Evidence.Rows, &p.Evidence.LogStarted, &p.Evidence.Earlier)
			p.Baseline, p.Target, p.Feature = signal.Digest(baseline), signal.Target(target), signal.FeatureName(feature)
			p.WindowEnd = fromStored(p.WindowEnd)
			out = append(out, p)
			return err
		})
	return out, err
}
