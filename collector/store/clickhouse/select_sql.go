package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// What one SELECT of a rule may cost, beside its own bounds.
const (
	sqlMaxRead      = 100_000_000 // rows
	sqlMaxReadBytes = 10 << 30
	sqlMaxMemory    = 2 << 30
	sqlMaxText      = 4096 // bytes of one label
)

// ofSystem are the tables that a rule may read, with what holds for the rows of
// one system. All others of ours are empty for it.
var ofSystem = map[string]string{
	"series": "system = %s", "distributions": "system = %s", "predictions": "system = %s", "labels": "system = %s",
	"baselines": "system = %s", "lineage_events": "system = %s", "lineage_edges": "system = %s", "drift_processes": "system = %s",
	"fleet_windows": "system = %s", "evaluations": "system = %s",
	"otel_logs":   "ResourceAttributes['" + signal.KeySystemID + "'] = %s",
	"otel_traces": "ResourceAttributes['" + signal.KeySystemID + "'] = %s",
}

var closed = []string{"samples", "register_events", "deliveries", "schema_migrations", "otel_traces_trace_id_ts"}

// SelectSQL answers a rule's SELECT; see model.SQLReader. The session is read
// only, so the statement can neither write nor change what bounds it.
func (s *Store) SelectSQL(ctx context.Context, q model.SQLQuery) ([]model.SQLRow, error) {
	const op = "run a rule's SQL"
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	ctx = ch.Context(ctx, ch.WithSettings(ch.Settings{
		"additional_table_filters": onlyOf(q.System),
		"max_execution_time":       int(q.Timeout/time.Second) + 1,
		"max_rows_to_read":         sqlMaxRead,
		"max_bytes_to_read":        sqlMaxReadBytes,
		"max_memory_usage":         sqlMaxMemory,
		"max_result_rows":          q.MaxRows,
		"result_overflow_mode":     "throw",
		"readonly":                 1,
	}))
	rows, err := s.conn.Query(ctx, q.Text, ch.Named("system", string(q.System)),
		ch.Named("start", q.From.UnixNano()), ch.Named("end", q.To.UnixNano()))
	if err != nil {
		return nil, classifySQL(op, err)
	}
	defer rows.Close()
	into := make([]any, len(rows.ColumnTypes()))
	var out []model.SQLRow
	for rows.Next() {
		if len(out) == q.MaxRows {
			return nil, errs.E(op, errs.Exhausted, fmt.Errorf("more than %d rows", q.MaxRows), "")
		}
		for i, c := range rows.ColumnTypes() {
			into[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(into...); err != nil {
			return nil, classify(op, err)
		}
		row, err := sqlRow(rows.ColumnTypes(), into)
		if err != nil {
			return nil, errs.E(op, errs.Invalid, err, "")
		}
		out = append(out, row)
	}
	return out, classifySQL(op, rows.Err())
}

// onlyOf restricts every table to one system.
func onlyOf(system signal.SystemID) string {
	value := quote(string(system))
	var filters []string
	for table, condition := range ofSystem {
		filters = append(filters, quote(table)+": "+quote(fmt.Sprintf(condition, value)))
	}
	for _, table := range closed {
		filters = append(filters, quote(table)+": '0'")
	}
	slices.Sort(filters)
	return "{" + strings.Join(filters, ", ") + "}"
}

// quote writes a text as ClickHouse's SQL does.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}

// classifySQL tells a statement that is wrong, or asks for too much, from a
// store that is away.
func classifySQL(op string, err error) error {
	var server *ch.Exception
	if errors.As(err, &server) {
		switch server.Code {
		case 158, 307, 396: // TOO_MANY_ROWS, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
			return errs.E(op, errs.Exhausted, err, "")
		}
		if kind := kindOf(err); kind == errs.Other {
			return errs.E(op, errs.Invalid, err, "")
		}
	}
	return classify(op, err)
}

// sqlRow sorts the columns of one row.
func sqlRow(types []driver.ColumnType, values []any) (model.SQLRow, error) {
	row := model.SQLRow{Labels: map[string]string{}}
	numbers := map[string]**float64{
		"value": &row.Value, "lower": &row.Lower, "upper": &row.Upper, "samples": &row.Samples, "part": &row.Part, "whole": &row.Whole,
	}
	for i, c := range types {
		v := reflect.ValueOf(values[i]).Elem()
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if v.Kind() == reflect.Pointer { // NULL
			continue
		}
		to, numeric := numbers[c.Name()]
		if !numeric {
			text := fmt.Sprint(v.Interface())
			row.Labels[c.Name()] = text[:min(len(text), sqlMaxText)]
			continue
		}
		n, err := float(v)
		if err != nil {
			return row, fmt.Errorf("column %s of type %s: %w", c.Name(), c.DatabaseTypeName(), err)
		}
		*to = &n
	}
	return row, nil
}

func float(v reflect.Value) (float64, error) {
	switch {
	case v.CanInt():
		return float64(v.Int()), nil
	case v.CanUint():
		return float64(v.Uint()), nil
	case v.CanFloat():
		return v.Float(), nil
	case v.Kind() == reflect.Bool:
		if v.Bool() {
			return 1, nil
		}
		return 0, nil
	}
	return 0, errors.New("not a number")
}
