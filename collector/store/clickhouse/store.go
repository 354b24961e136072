package clickhouse

import (
	"context"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Store is model.Store on ClickHouse. Safe for concurrent use.
type Store struct {
	options Options
	conn    driver.Conn
	series  *seriesCache
	labels  labelCache // of series that were read
}

var _ model.Store = (*Store)(nil)

// Open connects, makes the database if it does not exist, brings the tables up
// to date (see Migrate) and gives the store. A server that cannot be reached
// is errs.Unavailable, an account that is refused errs.Denied.
func Open(ctx context.Context, options Options) (*Store, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := createDatabase(ctx, o); err != nil {
		return nil, withHint(err, o)
	}
	client, err := o.client(o.Database)
	if err != nil {
		return nil, err
	}
	conn, err := ch.Open(client)
	if err != nil {
		return nil, errs.E("open the store", errs.Invalid, err, "")
	}
	s := &Store{options: o, conn: conn, series: newSeriesCache(o.KnownSeries, o.SeenEvery)}
	if err := s.migrate(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// withHint says what to do about a server that does not answer.
func withHint(err error, o Options) error {
	if o.Dial == nil && errs.KindOf(err) == errs.Unavailable {
		return errs.E("open the store at "+o.Addr, errs.Unavailable, err, "check that ClickHouse runs there, or leave clickhouse.addr empty for the embedded engine")
	}
	return err
}

// createDatabase asks before it creates, so that an account without the right
// to create databases can use one that exists.
func createDatabase(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, o.ReadTimeout)
	defer cancel()
	client, err := o.client("")
	if err != nil {
		return err
	}
	conn, err := ch.Open(client)
	if err != nil {
		return errs.E("open the store", errs.Invalid, err, "")
	}
	defer conn.Close()
	var exists uint64
	err = conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = {name:String}", ch.Named("name", o.Database)).Scan(&exists)
	if err == nil && exists == 0 {
		err = conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+o.Database)
	}
	return classify("open database "+o.Database, err)
}

// Ping asks the server for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	return classify("ping the store", s.conn.Exec(ctx, "SELECT 1 FORMAT Null"))
}

// Close ends the connections. Calls that are under way fail.
func (s *Store) Close() error { return s.conn.Close() }

// Conn is for tests and for maintenance: queries that the ports have not.
func (s *Store) Conn() driver.Conn { return s.conn }

// reading bounds a read on both sides.
func (s *Store) reading(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, s.options.ReadTimeout)
	return ch.Context(ctx, ch.WithSettings(ch.Settings{
		"max_execution_time": int(s.options.ReadTimeout/time.Second) + 1,
	})), cancel
}
