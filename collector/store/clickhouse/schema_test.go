package clickhouse_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

const schemaIntroduction = `# Schema

The tables of the collector's database (` + "`clickhouse.database`" + `, ` + "`evenkeel`" + ` by default), as the engine holds them
after ` + "`evenkeel-collector migrate`" + `. This page is made from them:
` + "`go test ./collector/store/clickhouse -run TestSchema -update`" + ` writes it anew.

They are plain ClickHouse tables, to be read by anything that speaks SQL. Times are UTC. Every row, but of
` + "`schema_migrations`" + ` and ` + "`replicas`" + `, carries
` + "`batch`" + `, the number of the write that it came with: ` + "`count() WHERE batch = X`" + ` tells whether a batch is there, which is how
rows are stored exactly once. Rows are added and not changed; a table of kind ReplacingMergeTree keeps
the newest of equal rows, so read it with ` + "`FINAL`" + ` or ` + "`argMax`" + `. Migrations only add, so a query that works today goes on working.

Grafana's ClickHouse data source reads ` + "`otel_logs`" + ` and ` + "`otel_traces`" + ` with its OpenTelemetry columns, since they
are those of the OpenTelemetry Collector's exporter. The views ` + "`otel_metrics_gauge`" + `, ` + "`otel_metrics_sum`" + ` and
` + "`otel_metrics_histogram`" + ` show metrics in the layout of that exporter's tables, for tools that read those. They
show what is kept: names and attributes as Prometheus writes them, of the resource what each of its series
carries, and neither exemplars nor start times. Exponential histograms are among the histograms, with bounds;
summaries among the gauges and sums. Ask them with a bound on ` + "`TimeUnix`" + `: a view has no index of its own. PromQL
over the [API](api.md) is faster.

What a row of each table takes on disk, and why columns have the codecs that they have, is
[below](#bytes-per-row).
`

// uncommented are the tables and columns whose names say all.
var uncommented = []string{"lineage_edges", "lineage_edges.to_node", "lineage_edges.relation", "lineage_edges.batch", "lineage_events.kind"}

// TestSchemaDocument holds docs/reference/schema.md to the tables as the engine
// has them; -update writes it.
func TestSchemaDocument(t *testing.T) {
	s := storetest.Open(t)
	figures, err := os.ReadFile(filepath.Join("testdata", "bytes_per_row.md"))
	if err != nil {
		t.Fatal(err)
	}
	got := schemaIntroduction + describeTables(t, s) + "\n## Bytes per row\n\n" + string(figures)
	page := filepath.Join("..", "..", "..", "docs", "reference", "schema.md")
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the tables are; run with -update", page)
	}
}

func describeTables(t *testing.T, s *clickhouse.Store) string {
	t.Helper()
	rows, err := s.Conn().Query(t.Context(), `SELECT name, engine, partition_key, sorting_key, comment FROM system.tables
		WHERE database = currentDatabase() ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var name, engine, partition, order, comment string
		if err := rows.Scan(&name, &engine, &partition, &order, &comment); err != nil {
			t.Fatal(err)
		}
		if comment == "" && !slices.Contains(uncommented, name) {
			t.Errorf("table %s has no comment", name)
		}
		if comment != "" {
			comment = "\n" + strings.ToUpper(comment[:1]) + comment[1:] + ".\n"
		}
		fmt.Fprintf(&out, "\n## `%s`\n%s\n%s", name, comment, engine)
		if order != "" {
			fmt.Fprintf(&out, ", ordered by `%s`", order)
		}
		if partition != "" {
			fmt.Fprintf(&out, ", a partition for each `%s`", partition)
		}
		out.WriteString(".\n\n| column | type | codec | |\n|---|---|---|---|\n" + describeColumns(t, s, name))
	}
	return out.String()
}

func describeColumns(t *testing.T, s *clickhouse.Store, table string) string {
	t.Helper()
	rows, err := s.Conn().Query(t.Context(), `SELECT name, type, default_kind, default_expression, compression_codec, comment FROM system.columns
		WHERE database = currentDatabase() AND table = ? ORDER BY position`, table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cell := strings.NewReplacer("|", `\|`, "\n", " ").Replace
	var out strings.Builder
	for rows.Next() {
		var name, kind, how, expression, codec, comment string
		if err := rows.Scan(&name, &kind, &how, &expression, &codec, &comment); err != nil {
			t.Fatal(err)
		}
		switch {
		case comment == "" && how == "MATERIALIZED":
			comment = "made from `" + expression + "`"
		case comment == "" && !slices.Contains(uncommented, table+"."+name):
			t.Errorf("column %s of %s has no comment", name, table)
		}
		codec = strings.TrimSuffix(strings.TrimPrefix(codec, "CODEC("), ")")
		if codec != "" {
			codec = "`" + codec + "`"
		}
		fmt.Fprintf(&out, "| `%s` | `%s` | %s | %s |\n", name, kind, codec, cell(comment))
	}
	return out.String()
}
