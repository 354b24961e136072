package clickhouse_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
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
	if n := scalar(t, s, `SELECT count() FROM system.tables WHERE database = currentDatabase() AND name NOT IN ('schema_migrations', 'replicas')
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

// TestRowsOfAnOlderSchemaAreRead takes the last step back, writes as a program
// before it did, and migrates.
func TestRowsOfAnOlderSchemaAreRead(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	whole := showTables(t, s, options.Database)
	for _, statement := range []string{
		"DROP TABLE predictions SYNC", "DROP TABLE labels SYNC",
		`ALTER TABLE distributions DROP COLUMN out_of_range, DROP COLUMN rate, DROP COLUMN held, DROP COLUMN embedded,
			DROP COLUMN distinct, DROP COLUMN estimated, DROP COLUMN group_requests, DROP COLUMN cohort, DROP COLUMN over_ceiling, DROP COLUMN unread,
			DROP COLUMN lineage_parts, DROP COLUMN lineage_values, DROP COLUMN lineage_requests`,
		"ALTER TABLE fleet_windows DROP COLUMN explanations, DROP COLUMN cohort, DROP COLUMN revision",
		"DELETE FROM schema_migrations WHERE version >= 5 SETTINGS lightweight_deletes_sync = 2",
		`INSERT INTO distributions (system, model_name, instance, sequence, window_start, window_end, parts, target, feature, kind,
			group_names, group_favourable, group_total) SETTINGS async_insert = 0
			VALUES ('loans', 'loan', 'a', 1, '2026-03-10 11:00:00', '2026-03-10 12:00:00', 1, 'group', 'gender', 'categorical', ['x', 'y'], [1, 2], [3, 4])`,
		`INSERT INTO fleet_windows (system, model_name, length_ns, window_start, window_end) SETTINGS async_insert = 0
			VALUES ('loans', 'loan', 3600000000000, '2026-03-10 11:00:00', '2026-03-10 12:00:00')`,
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
	found, err := s.DistributionsBetween(t.Context(), "loans", noon.Add(-1), noon)
	if err != nil || len(found) != 1 {
		t.Fatalf("%d distributions, %v", len(found), err)
	}
	d := found[0]
	groups := []signal.GroupCount{{Group: "x", Favourable: 1, Total: 3}, {Group: "y", Favourable: 2, Total: 4}}
	if d.Rate != 1 || d.OutOfRange+d.Held != 0 || d.Embedded != nil || d.Distinct != nil || d.Estimated != nil || !slices.Equal(d.Groups, groups) {
		t.Errorf("got %+v", d)
	}
	windows, err := s.FleetWindows(t.Context(), noon.Add(-1), noon)
	if err != nil || len(windows) != 1 || windows[0].Labelled() || windows[0].Explanations != nil {
		t.Errorf("got %+v, %v", windows, err)
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
