package clickhouse

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered file. Its statements only add, and doing one again
// changes nothing, so a migration that was cut short is simply run again.
type migration struct {
	version    uint32
	name       string // without number and suffix
	digest     string // of the file; it never changes once released
	statements []string
}

const createMigrations = `CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32,
    name String,
    digest String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version`

// Migrate brings the database up to date and says what it found; Open does the
// same. It may run while collectors write.
func Migrate(ctx context.Context, options Options) error {
	s, err := Open(ctx, options)
	if err != nil {
		return err
	}
	return s.Close()
}

// migrate applies what the database has not seen. A database that has seen
// more than this program knows is fine, since migrations only add.
func (s *Store) migrate(ctx context.Context) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	if err := s.exec(ctx, createMigrations); err != nil {
		return classify("migrate database "+s.options.Database, err)
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return err
	}
	for _, m := range all {
		digest, done := applied[m.version]
		if done && digest != m.digest {
			return errs.E(fmt.Sprintf("migrate database %s: step %d (%s)", s.options.Database, m.version, m.name), errs.Conflict,
				fmt.Errorf("it was applied with other contents (%s, this program has %s)", digest, m.digest),
				"use the program that made the database, or another clickhouse.database")
		}
		if done {
			continue
		}
		if err := s.apply(ctx, m); err != nil {
			return err
		}
		s.options.Log.Info("migrated", slog.String("database", s.options.Database), slog.Any("version", m.version), slog.String("name", m.name))
	}
	return nil
}

func (s *Store) applied(ctx context.Context) (map[uint32]string, error) {
	ctx, cancel := s.reading(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, "SELECT version, digest FROM "+s.options.Database+".schema_migrations ORDER BY version, applied_at")
	if err != nil {
		return nil, classify("read schema_migrations", err)
	}
	defer rows.Close()
	out := map[uint32]string{}
	for rows.Next() {
		var version uint32
		var digest string
		if err := rows.Scan(&version, &digest); err != nil {
			return nil, classify("read schema_migrations", err)
		}
		out[version] = digest
	}
	return out, classify("read schema_migrations", rows.Err())
}

func (s *Store) apply(ctx context.Context, m migration) error {
	op := fmt.Sprintf("migrate database %s: step %d (%s)", s.options.Database, m.version, m.name)
	for _, statement := range m.statements {
		if err := s.exec(ctx, statement); err != nil {
			return classify(op, err)
		}
		faultpoint.Hit("migrate.step")
	}
	err := s.exec(ctx, "INSERT INTO schema_migrations (version, name, digest) VALUES ({version:UInt32}, {name:String}, {digest:String})",
		ch.Named("version", m.version), ch.Named("name", m.name), ch.Named("digest", m.digest))
	return classify(op, err)
}

func (s *Store) exec(ctx context.Context, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.InsertTimeout)
	defer cancel()
	ctx = ch.Context(ctx, ch.WithSettings(ch.Settings{"async_insert": 0}))
	return s.conn.Exec(ctx, statement, args...)
}

// migrations reads the embedded files in order of their numbers.
func migrations() ([]migration, error) {
	entries, err := fs.ReadDir(migrationFiles, "migrations") // sorted by name
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var out []migration
	for _, e := range entries {
		raw, err := fs.ReadFile(migrationFiles, "migrations/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		number, name, _ := strings.Cut(strings.TrimSuffix(e.Name(), ".sql"), "_")
		version, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("migration %s: want NNNN_name.sql: %w", e.Name(), err)
		}
		m := migration{version: uint32(version), name: name, digest: canonical.Sum(raw)}
		for statement := range strings.SplitSeq(string(raw), ";\n") {
			if strings.TrimSpace(statement) != "" {
				m.statements = append(m.statements, statement)
			}
		}
		out = append(out, m)
	}
	return out, nil
}
