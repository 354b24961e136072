package clickhouse_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

// measured are the tables that grow with traffic.
var measured = []string{
	"samples", "otel_logs", "otel_traces", "otel_traces_trace_id_ts", "predictions", "labels", "distributions", "evaluations", "drift_processes",
}

// candidates are the codecs that are tried for a type.
func candidates(kind string) []string {
	switch {
	case strings.HasPrefix(kind, "Float"):
		return []string{"LZ4", "ZSTD(1)", "ZSTD(3)", "Gorilla, ZSTD(1)", "Delta, ZSTD(1)", "FPC, ZSTD(1)"}
	case strings.HasPrefix(kind, "UInt"), strings.HasPrefix(kind, "Int"), strings.HasPrefix(kind, "DateTime"):
		return []string{"LZ4", "ZSTD(1)", "ZSTD(3)", "T64, ZSTD(1)", "Delta, ZSTD(1)", "DoubleDelta, ZSTD(1)"}
	}
	if strings.HasPrefix(kind, "Array(UInt") {
		return []string{"LZ4", "ZSTD(1)", "ZSTD(3)", "ZSTD(6)", "T64, ZSTD(1)", "T64, ZSTD(3)"}
	}
	return []string{"LZ4", "ZSTD(1)", "ZSTD(3)", "ZSTD(6)"}
}

// sizes are the bytes of each column on disk.
type sizes map[string]float64

// TestBytesPerRow loads rows as they are in life into the real engine, with each
// codec that fits each column, merges them, and prints what they take; with
// -update it writes the figures that docs/reference/schema.md shows. It takes
// minutes, so it asks for EVENKEEL_MEASURE_CODECS.
func TestBytesPerRow(t *testing.T) {
	if os.Getenv("EVENKEEL_MEASURE_CODECS") == "" {
		t.Skip("set EVENKEEL_MEASURE_CODECS=1 to measure")
	}
	s := storetest.Open(t)
	load(t, s)
	var perTable, perColumn strings.Builder
	for _, table := range measured {
		rows := float64(scalar(t, s, "SELECT count() FROM "+table))
		kinds, codecs := columnsOf(t, s, table)
		present, raw := weigh(t, s, table, nil)
		tried := tryCodecs(t, s, table, kinds)
		var total, best float64
		for name, size := range present {
			total += size
			best += size
			for _, other := range tried[name] {
				best = min(best, best-size+other)
			}
		}
		fmt.Fprintf(&perTable, "| `%s` | %.0f | %.0f | %.1f | %.1f |\n", table, rows, raw/rows, total/rows, best/rows)
		names := slices.SortedFunc(maps.Keys(present), func(a, b string) int { return cmp.Or(cmp.Compare(present[b], present[a]), cmp.Compare(a, b)) })
		for _, name := range names {
			if present[name] < total/30 {
				continue
			}
			var others []string
			for _, codec := range candidates(kinds[name]) {
				if size, ok := tried[name][codec]; ok && codec != codecs[name] {
					others = append(others, fmt.Sprintf("`%s` %.2f", codec, size/rows))
				}
			}
			fmt.Fprintf(&perColumn, "| `%s.%s` | `%s` | %.2f | %s |\n", table, name, codecs[name], present[name]/rows, strings.Join(others, ", "))
		}
	}
	text := fmt.Sprintf(figures, perTable.String(), perColumn.String())
	t.Log("\n" + text)
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "bytes_per_row.md"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const figures = `Measured with rows as they are in life (two replicas, a thousand series, fifty features of forty cells,
access logs, traces of four spans), merged into one part a day, in the real engine:
` + "`EVENKEEL_MEASURE_CODECS=1 go test ./collector/store/clickhouse -run TestBytesPerRow -update`" + `. Index files are not in it. The
last column is what the smallest codec of each column would give, whatever it costs.

| table | rows | bytes as they are | bytes on disk | smallest |
|---|---|---|---|---|
%s
Columns that take a thirtieth of a row or more, with what other codecs give. A codec was chosen where it saves
2%% of the row; ` + "`ZSTD`" + ` above 1 only where that saves 5%%, since it costs more at each insert and merge. Random ids
take what they take.

| column | codec | bytes | others |
|---|---|---|---|
%s`

func load(t *testing.T, s *clickhouse.Store) {
	t.Helper()
	r := newRealistic()
	batch := uint64(0)
	add := func(rows *model.Rows) {
		t.Helper()
		batch += 100
		write(t, s, model.SpoolBatch(batch), rows, model.FirstTry)
	}
	midnight := noon.Truncate(day)
	state := make([]float64, 1000)
	for part := range 8 {
		from := midnight.Add(time.Duration(part) * 30 * time.Minute)
		add(r.samples(from, 30, state))
		add(r.logs(from, 5000))
		add(r.spans(from, 1500))
		add(r.predictions(from, 5000))
		for minute := range 15 {
			add(r.judged(from.Add(time.Duration(minute)*time.Minute), uint64(part*15+minute+1)))
		}
	}
}

// columnsOf gives types and codecs of the columns that are stored.
func columnsOf(t *testing.T, s *clickhouse.Store, table string) (kinds, codecs map[string]string) {
	t.Helper()
	rows, err := s.Conn().Query(t.Context(), "SELECT name, type, compression_codec FROM system.columns WHERE database = currentDatabase() AND table = ?", table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	kinds, codecs = map[string]string{}, map[string]string{}
	for rows.Next() {
		var name, kind, codec string
		if err := rows.Scan(&name, &kind, &codec); err != nil {
			t.Fatal(err)
		}
		codec = strings.TrimSuffix(strings.TrimPrefix(codec, "CODEC("), ")")
		for _, width := range []string{"(1)", "(2)", "(4)", "(8)"} { // Delta(8) is Delta of eight bytes
			codec = strings.Replace(codec, "Delta"+width, "Delta", 1)
			codec = strings.Replace(codec, "Gorilla"+width, "Gorilla", 1)
		}
		kinds[name], codecs[name] = kind, cmp.Or(codec, "LZ4")
	}
	return kinds, codecs
}

// weigh copies a table, with other codecs for some columns, merges the copy into
// a part for each partition and gives the bytes of its columns on disk, and those
// of all before they are compressed. A codec that does not fit is left out of with.
func weigh(t *testing.T, s *clickhouse.Store, table string, with map[string]string) (sizes, float64) {
	t.Helper()
	exec := func(statement string) {
		t.Helper()
		if err := s.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE tried AS " + table)
	exec("ALTER TABLE tried MODIFY SETTING min_bytes_for_wide_part = 0") // small parts keep all columns in one file
	for name, codec := range with {
		if s.Conn().Exec(t.Context(), fmt.Sprintf("ALTER TABLE tried MODIFY COLUMN `%s` CODEC(%s)", name, codec)) != nil {
			delete(with, name)
		}
	}
	exec("INSERT INTO tried SELECT * FROM " + table + " SETTINGS async_insert = 0, max_partitions_per_insert_block = 0")
	exec("OPTIMIZE TABLE tried FINAL")
	rows, err := s.Conn().Query(t.Context(), `SELECT column, toFloat64(sum(column_data_compressed_bytes)) FROM system.parts_columns
		WHERE active AND database = currentDatabase() AND table = 'tried' GROUP BY column`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := sizes{}
	for rows.Next() {
		var name string
		var size float64
		if err := rows.Scan(&name, &size); err != nil {
			t.Fatal(err)
		}
		out[name] = size
	}
	raw := scalar(t, s, "SELECT sum(data_uncompressed_bytes) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'tried'")
	exec("DROP TABLE tried SYNC")
	return out, float64(raw)
}

// tryCodecs gives the bytes of each column with each codec that it takes.
func tryCodecs(t *testing.T, s *clickhouse.Store, table string, kinds map[string]string) map[string]map[string]float64 {
	t.Helper()
	out := map[string]map[string]float64{}
	for n := range len(candidates("UInt64")) {
		with := map[string]string{}
		for name, kind := range kinds {
			if list := candidates(kind); n < len(list) {
				with[name] = list[n]
			}
		}
		found, _ := weigh(t, s, table, with)
		for name, codec := range with {
			if out[name] == nil {
				out[name] = map[string]float64{}
			}
			out[name][codec] = found[name]
		}
	}
	return out
}
