package clickhouse

import (
	"context"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/collector/model"
)

// Partitions gives the days of the tables, by day and table. Tables that are not
// there, or not cut into days, have none.
func (s *Store) Partitions(ctx context.Context, tables []string) ([]model.Partition, error) {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, `SELECT table, parseDateTimeBestEffort(partition_id, 'UTC') AS day, sum(rows), sum(bytes_on_disk) FROM system.parts
		WHERE database = {database:String} AND active AND table IN {tables:Array(String)} AND match(partition_id, '^[0-9]{8}$')
		GROUP BY table, day ORDER BY day, table`, ch.Named("database", s.options.Database), ch.Named("tables", tables))
	if err != nil {
		return nil, classify("list partitions", err)
	}
	defer rows.Close()
	var out []model.Partition
	for rows.Next() {
		var p model.Partition
		if err := rows.Scan(&p.Table, &p.Day, &p.Rows, &p.Bytes); err != nil {
			return nil, classify("list partitions", err)
		}
		p.Day = p.Day.UTC()
		out = append(out, p)
	}
	return out, classify("list partitions", rows.Err())
}

// DropPartition removes one day of one table. One that is gone is no error.
func (s *Store) DropPartition(ctx context.Context, p model.Partition) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.InsertTimeout)
	defer cancel()
	ctx = ch.Context(ctx, ch.WithSettings(ch.Settings{
		"max_partition_size_to_drop": 0, // the server's bound guards people against slips
		"max_execution_time":         int(s.options.InsertTimeout/time.Second) + 1,
	}))
	err := s.conn.Exec(ctx, fmt.Sprintf("ALTER TABLE `%s` DROP PARTITION ID '%s'", p.Table, p.Day.UTC().Format("20060102")))
	return classify(fmt.Sprintf("drop %s of %s", p.Day.Format(time.DateOnly), p.Table), err)
}
