package clickhouse

import (
	"context"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// missing gives the inserts of a batch that are not stored yet. First it ends
// those of an earlier try that still run, so that they do not end after the
// count.
func (s *Store) missing(ctx context.Context, batch model.Batch, inserts []insert) ([]insert, error) {
	if err := s.endEarlierTries(ctx, batch); err != nil {
		return nil, err
	}
	counts := map[string]map[time.Time]uint64{}
	var out []insert
	for _, in := range inserts {
		if in.replacing {
			out = append(out, in)
			continue
		}
		days, asked := counts[in.table]
		if !asked {
			var err error
			if days, err = s.countBatch(ctx, batch, in.table, in.timeColumn, daysOf(inserts, in.table)); err != nil {
				return nil, err
			}
			counts[in.table] = days
		}
		stored, err := in.isStored(batch, days[in.day])
		if err != nil {
			return nil, err
		}
		if !stored {
			out = append(out, in)
		}
	}
	return out, nil
}

// isStored compares what was found with what there is to store. Any number
// but none and all is errs.Corrupt: the batch holds other rows than it did, or
// rows were lost or doubled.
func (in insert) isStored(batch model.Batch, found uint64) (bool, error) {
	if found != 0 && found != uint64(in.rows) {
		return false, errs.E("store a batch", errs.Corrupt,
			fmt.Errorf("%s holds %d rows of batch %d on %s, not %d", in.table, found, batch, in.dayName(), in.rows), "")
	}
	return found != 0, nil
}

func (s *Store) endEarlierTries(ctx context.Context, batch model.Batch) error {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	err := s.conn.Exec(ctx, "KILL QUERY WHERE startsWith(query_id, {name:String}) SYNC FORMAT Null", ch.Named("name", s.insertName(batch)))
	return classify(fmt.Sprintf("end earlier tries of batch %d", batch), err)
}

// countBatch counts a batch's rows in one table by day.
func (s *Store) countBatch(ctx context.Context, batch model.Batch, table, timeColumn string, days []time.Time) (map[time.Time]uint64, error) {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	op := fmt.Sprintf("count batch %d in %s", batch, table)
	if timeColumn == "" {
		var n uint64
		err := s.conn.QueryRow(ctx, "SELECT count() FROM "+table+" WHERE batch = {batch:UInt64}",
			ch.Named("batch", uint64(batch))).Scan(&n)
		return map[time.Time]uint64{{}: n}, classify(op, err)
	}
	names := make([]string, len(days))
	for i, d := range days {
		names[i] = d.Format(time.DateOnly)
	}
	rows, err := s.conn.Query(ctx, "SELECT toDate("+timeColumn+") AS day, count() FROM "+table+
		" WHERE batch = {batch:UInt64} AND day IN {days:Array(Date)} GROUP BY day",
		ch.Named("batch", uint64(batch)), ch.Named("days", names))
	if err != nil {
		return nil, classify(op, err)
	}
	defer rows.Close()
	out := map[time.Time]uint64{}
	for rows.Next() {
		var day time.Time
		var n uint64
		if err := rows.Scan(&day, &n); err != nil {
			return nil, classify(op, err)
		}
		out[day.UTC()] = n
	}
	return out, classify(op, rows.Err())
}

func daysOf(inserts []insert, table string) []time.Time {
	var out []time.Time
	for _, in := range inserts {
		if in.table == table {
			out = append(out, in.day)
		}
	}
	return out
}
