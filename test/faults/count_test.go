package faults

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/evenkeel/evenkeel/collector/engine"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
)

// table says where the ids of a kind stand, as a query that gives one id for
// every row.
type table struct{ name, kind, ids string }

// tables are those of the senders.
var tables = []table{
	{"otel_logs", kindWindows, "SELECT Body AS id FROM otel_logs WHERE ServiceName = 'faults'"},
	{"distributions", kindWindows, "SELECT feature AS id FROM distributions WHERE model_name = 'faults'"},
	{"otel_traces", kindTraces, "SELECT SpanAttributes['id'] AS id FROM otel_traces WHERE ServiceName = 'faults'"},
	{"predictions", kindPredictions, "SELECT p.id AS id FROM predictions AS p WHERE model_name = 'faults'"},
	{"samples", kindMetrics, `SELECT concat(s.of, '/', toString(toUInt64(value))) AS id FROM samples
		INNER JOIN (SELECT fingerprint, any(labels['of']) AS of FROM series WHERE name = 'faults_points' GROUP BY fingerprint) AS s USING fingerprint`},
}

// verify stops everything, opens the data with an engine of its own, and holds
// what is stored against the journal.
func verify(t *testing.T, s *site, out *senders) {
	t.Helper()
	out.finish()
	s.empty()
	s.read(func(store *clickhouse.Store) { out.journal.hold(t, s, store, tables) })
	s.nothingAside()
}

// empty stops the collector until its spool is empty.
func (s *site) empty() {
	s.t.Helper()
	s.stop()
	for tries := 0; s.waiting() > 0; tries++ {
		if tries == 30 {
			s.t.Fatalf("%d requests still wait in the spool", s.waiting())
		}
		s.t.Logf("%d requests wait for the next start", s.waiting())
		s.start("")
		s.untilUp()
		s.stop()
	}
}

// nothingAside looks whether anything was found damaged or refused.
func (s *site) nothingAside() {
	s.t.Helper()
	aside, err := filepath.Glob(filepath.Join(s.data, "spool", "quarantine", "*"))
	if err != nil || len(aside) > 0 {
		s.t.Errorf("put aside: %v, %v", aside, err)
	}
}

// waiting counts the requests that a collector which has stopped left in the
// spool.
func (s *site) waiting() int {
	s.t.Helper()
	o := spool.Default()
	o.Folder = filepath.Join(s.data, "spool")
	sp, err := spool.Open(o)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = sp.Close() }()
	return sp.Stats().Records
}

// hold compares every table with the journal: what was acknowledged is there
// once, what was sent and not acknowledged once or not at all, and nothing else.
func (j *journal) hold(t *testing.T, s *site, store *clickhouse.Store, tables []table) {
	t.Helper()
	f := figure{scenario: t.Name(), kills: s.kills}
	for _, table := range tables {
		sent, acked := j.of(table.kind)
		stored := idsOf(t, store, table.ids)
		var rows, different uint64
		ask(t, store, "SELECT count(), uniqExact(id) FROM ("+table.ids+")", &rows, &different)
		lost, unknown := 0, 0
		for id := range acked {
			if stored[id] > 0 {
				continue
			}
			if lost++; lost <= 5 {
				t.Logf("%s has lost %s", table.name, id)
			}
		}
		for id := range stored {
			if !sent[id] {
				unknown++
			}
		}
		t.Logf("%s: %d ids sent, %d acknowledged, %d rows, %d different ids", table.name, len(sent), len(acked), rows, different)
		if lost+unknown > 0 || rows != different {
			t.Errorf("%s: %d acknowledged ids are lost, %d rows are stored more than once, %d ids were never sent", table.name, lost, rows-different, unknown)
		}
		f.add(len(acked), int(rows), lost, int(rows-different))
	}
	f.report()
}

// read opens the data of a collector that has stopped.
func (s *site) read(look func(*clickhouse.Store)) {
	s.t.Helper()
	if s.server != nil {
		look(s.server.store)
		return
	}
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	e, err := engine.Start(ctx, engine.Options{Dir: filepath.Join(s.data, "engine"), Log: log})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(ctx); err != nil {
			s.t.Errorf("stop the engine: %v", err)
		}
	}()
	store, err := clickhouse.Open(ctx, clickhouse.Options{Dial: e.DialContext, User: e.User(), Password: e.Password(), Database: "evenkeel"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	look(store)
}

// ask reads a row of counts.
func ask(t *testing.T, store *clickhouse.Store, query string, into ...any) {
	t.Helper()
	if err := store.Conn().QueryRow(context.Background(), query).Scan(into...); err != nil {
		t.Fatal(err)
	}
}

// idsOf gives how often every id is there.
func idsOf(t *testing.T, store *clickhouse.Store, ids string) map[string]uint64 {
	t.Helper()
	rows, err := store.Conn().Query(context.Background(), "SELECT toString(id) AS id, count() FROM ("+ids+") GROUP BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]uint64{}
	for rows.Next() {
		var id string
		var n uint64
		if err := rows.Scan(&id, &n); err != nil {
			t.Fatal(err)
		}
		out[id] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
