package clickhouse_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// showTables gives the DDL of every table as the server holds it.
func showTables(t *testing.T, s *clickhouse.Store, database string) string {
	t.Helper()
	rows, err := s.Conn().Query(t.Context(), "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var name, ddl string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if err := s.Conn().QueryRow(t.Context(), "SHOW CREATE TABLE "+name).Scan(&ddl); err != nil {
			t.Fatal(err)
		}
		out.WriteString(strings.ReplaceAll(ddl, database+".", "") + ";\n\n")
	}
	return out.String()
}

func TestTables(t *testing.T) {
	options := storetest.Options(t)
	got := showTables(t, storetest.OpenWith(t, options), options.Database)
	golden := filepath.Join("testdata", "tables.golden.sql")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the tables are not those of %s; if they should be, run with -update\n%s", golden, got)
	}
}

func TestEveryRowCarriesItsBatch(t *testing.T) {
	s := storetest.Open(t)
	if n := scalar(t, s, `SELECT count() FROM system.tables WHERE database = currentDatabase() AND name != 'schema_migrations'
		AND name NOT IN (SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'batch' AND type = 'UInt64')`); n != 0 {
		t.Errorf("%d tables have no column batch", n)
	}
}

func TestMigratingAgainChangesNothing(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	write(t, s, model.SpoolBatch(1), everything(), model.FirstTry)
	before := showTables(t, s, options.Database)
	for range 2 {
		if err := clickhouse.Migrate(t.Context(), options); err != nil {
			t.Fatal(err)
		}
	}
	if after := showTables(t, s, options.Database); after != before {
		t.Errorf("tables changed to\n%s", after)
	}
	wantRows(t, s, model.SpoolBatch(1), 4)
}

// TestAMigrationThatWasCutShortIsFinished takes away what a crash in the
// middle would not have made yet.
func TestAMigrationThatWasCutShortIsFinished(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	whole := showTables(t, s, options.Database)
	for _, statement := range []string{
		"DROP TABLE baselines SYNC", "DROP TABLE otel_logs SYNC", "DROP TABLE lineage_events SYNC",
		"DROP TABLE evaluations SYNC", "TRUNCATE TABLE schema_migrations",
	} {
		if err := s.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := clickhouse.Migrate(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	if got := showTables(t, s, options.Database); got != whole {
		t.Errorf("got\n%s", got)
	}
}

func TestAMigrationThatChangedIsRefused(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	if err := s.Conn().Exec(t.Context(), "INSERT INTO schema_migrations (version, name, digest) SETTINGS async_insert = 0 VALUES (2, 'events', 'sha256:other')"); err != nil {
		t.Fatal(err)
	}
	err := clickhouse.Migrate(t.Context(), options)
	if errs.KindOf(err) != errs.Conflict || !regexp.MustCompile(`step 2 \(events\).*other contents`).MatchString(err.Error()) {
		t.Errorf("got %v", err)
	}
}
