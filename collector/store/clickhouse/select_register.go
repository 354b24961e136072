package clickhouse

import (
	"context"
	"encoding/json"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

const registerColumns = "SELECT id, record, seq, time, type, actor_id, actor_kind, actor_role, data, prev_hash, hash FROM register_events "

// RegisterEvents gives the whole register; see model.RegisterReader.
func (s *Store) RegisterEvents(ctx context.Context) ([]model.RegisterEvent, error) {
	return s.registerEvents(ctx, registerColumns+"ORDER BY time, record, seq")
}

// RegisterEventsOf gives the events of some records; see model.RegisterReader.
func (s *Store) RegisterEventsOf(ctx context.Context, records []string) ([]model.RegisterEvent, error) {
	return s.registerEvents(ctx, registerColumns+"WHERE record IN {records:Array(String)} ORDER BY time, record, seq", ch.Named("records", records))
}

func (s *Store) registerEvents(ctx context.Context, text string, args ...any) ([]model.RegisterEvent, error) {
	var out []model.RegisterEvent
	err := s.query(ctx, "read register events", text, args, func(rows driver.Rows) error {
		var e model.RegisterEvent
		var data, prev, hash string
		err := rows.Scan(&e.ID, &e.Record, &e.Seq, &e.Time, &e.Type, &e.Actor.ID, &e.Actor.Kind, &e.Actor.Role, &data, &prev, &hash)
		e.Time, e.Data = fromStored(e.Time), json.RawMessage(data)
		e.PrevHash, e.Hash = signal.Digest(prev), signal.Digest(hash)
		out = append(out, e)
		return err
	})
	return out, err
}

// RegisterSize counts the register's events, from what the server knows of its
// parts.
func (s *Store) RegisterSize(ctx context.Context) (n uint64, err error) {
	err = s.query(ctx, "count register events", "SELECT count() FROM register_events", nil,
		func(rows driver.Rows) error { return rows.Scan(&n) })
	return n, err
}

// RegisterSizes counts the events of every record.
func (s *Store) RegisterSizes(ctx context.Context) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := s.query(ctx, "count register events", "SELECT record, count() FROM register_events GROUP BY record", nil,
		func(rows driver.Rows) error {
			var record string
			var n uint64
			err := rows.Scan(&record, &n)
			out[record] = n
			return err
		})
	return out, err
}
