package clickhouse

import (
	"context"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// Examination is what can be seen of a store without changing it.
type Examination struct {
	Version  string        // of the server
	Clock    time.Duration // how far the server's clock is ahead of ours
	Database bool          // it exists
	Applied  int           // migrations of this program that it has
	Missing  []string      // those that it lacks, as NNNN_name
	Changed  []string      // those that it has with other contents
	Later    int           // those that this program does not know
}

// Examine connects, asks, and leaves. It makes neither database nor tables.
func Examine(ctx context.Context, options Options) (Examination, error) {
	var e Examination
	o, err := options.withDefaults()
	if err != nil {
		return e, err
	}
	client, err := o.client("")
	if err != nil {
		return e, err
	}
	conn, err := ch.Open(client)
	if err != nil {
		return e, classify("open the store", err)
	}
	s := &Store{options: o, conn: conn}
	defer func() { _ = conn.Close() }()
	if err := s.ask(ctx, &e); err != nil {
		return e, withHint(err, o)
	}
	if !e.Database {
		e.Missing, err = names(nil)
		return e, err
	}
	return e, s.examineMigrations(ctx, &e)
}

func (s *Store) ask(ctx context.Context, e *Examination) error {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	var at int64
	var databases uint64
	before := time.Now()
	err := s.conn.QueryRow(ctx, "SELECT version(), toUnixTimestamp64Milli(now64(3))").Scan(&e.Version, &at)
	took := time.Since(before)
	if err == nil {
		e.Clock = time.UnixMilli(at).Sub(before.Add(took / 2)).Truncate(time.Millisecond)
		err = s.conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = {name:String} AND name = 'schema_migrations'",
			ch.Named("name", s.options.Database)).Scan(&databases)
	}
	e.Database = databases > 0
	return classify("examine the store", err)
}

func (s *Store) examineMigrations(ctx context.Context, e *Examination) error {
	applied, err := s.applied(ctx)
	if err != nil {
		return err
	}
	all, err := migrations()
	if err != nil {
		return err
	}
	known := map[uint32]bool{}
	for _, m := range all {
		known[m.version] = true
		digest, done := applied[m.version]
		switch {
		case !done:
			e.Missing = append(e.Missing, m.label())
		case digest != m.digest:
			e.Changed = append(e.Changed, m.label())
		default:
			e.Applied++
		}
	}
	for version := range applied {
		if !known[version] {
			e.Later++
		}
	}
	return nil
}

func (m *migration) label() string { return fmt.Sprintf("%04d_%s", m.version, m.name) }

// names gives the labels of all migrations.
func names(out []string) ([]string, error) {
	all, err := migrations()
	for _, m := range all {
		out = append(out, m.label())
	}
	return out, err
}
