package clickhouse

import (
	"context"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
)

// LateSlots joins the labels of some minutes with the predictions of many days;
// see model.LateReader. It reads the labels' part of their days once and the
// ids of the lane's predictions.
func (s *Store) LateSlots(ctx context.Context, q model.LateQuestion) ([]time.Time, error) {
	slot := predictionSlot{system: q.System, model: q.Model, from: storable(q.From), to: storable(q.To)}
	var out []time.Time
	err := s.query(ctx, "find late labels", `SELECT DISTINCT intDiv(toUnixTimestamp64Nano(time) + {length:Int64} - 1, {length:Int64}) * {length:Int64} AS slot
		FROM predictions WHERE `+ofLane+` AND `+made+` AND (id, row) IN (
			SELECT id, row FROM labels WHERE system = {system:String}
				AND received > fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND received <= fromUnixTimestamp64Nano({until:Int64}, 'UTC')
		)
		ORDER BY slot`,
		append(slot.lane(), ch.Named("length", int64(q.Length)),
			ch.Named("since", storable(q.Since).UnixNano()), ch.Named("until", storable(q.Until).UnixNano())),
		func(rows driver.Rows) error {
			var end int64
			err := rows.Scan(&end)
			out = append(out, time.Unix(0, end).UTC())
			return err
		})
	return out, err
}
