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

// verify stops everything, opens the data with an engine of its own, and holds
// what is stored against the journal.
func verify(t *testing.T, s *site, out *senders) {
	t.Helper()
	out.finish()
	s.stop()
	for tries := 0; s.waiting() > 0; tries++ {
		if tries == 5 {
			t.Fatalf("%d requests still wait in the spool", s.waiting())
		}
		t.Logf("%d requests wait for the next start", s.waiting())
		s.start("")
		s.untilUp()
		s.stop()
	}
	logs, distributions := storedIDs(t, filepath.Join(s.data, "engine"))
	out.journal.hold(t, "otel_logs", logs)
	out.journal.hold(t, "distributions", distributions)
	aside, err := filepath.Glob(filepath.Join(s.data, "spool", "quarantine", "*"))
	if err != nil || len(aside) > 0 {
		t.Errorf("put aside: %v, %v", aside, err)
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

// hold compares a table with the journal: what was acknowledged is there once,
// what was sent and not acknowledged once or not at all, and nothing else.
func (j *journal) hold(t *testing.T, table string, stored map[string]uint64) {
	t.Helper()
	lost, twice, unknown := 0, 0, 0
	for id := range j.acked {
		if stored[id] == 0 {
			lost++
		}
	}
	var rows uint64
	for id, n := range stored {
		rows += n
		if n > 1 {
			twice++
		}
		if !j.sent[id] {
			unknown++
		}
	}
	t.Logf("%d ids sent, %d acknowledged; %s holds %d rows, %d different ids", len(j.sent), len(j.acked), table, rows, len(stored))
	if lost+twice+unknown > 0 {
		t.Errorf("%s: %d acknowledged ids are lost, %d are stored more than once, %d were never sent", table, lost, twice, unknown)
	}
}

// storedIDs gives how often every id is in the two tables that hold it.
func storedIDs(t *testing.T, folder string) (logs, distributions map[string]uint64) {
	t.Helper()
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	e, err := engine.Start(ctx, engine.Options{Dir: folder, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(ctx); err != nil {
			t.Errorf("stop the engine: %v", err)
		}
	}()
	store, err := clickhouse.Open(ctx, clickhouse.Options{Dial: e.DialContext, User: e.User(), Password: e.Password(), Database: "evenkeel"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	return count(t, store, "SELECT Body, count() FROM otel_logs WHERE ServiceName = 'faults' GROUP BY Body"),
		count(t, store, "SELECT feature, count() FROM distributions WHERE model_name = 'faults' GROUP BY feature")
}

func count(t *testing.T, store *clickhouse.Store, query string) map[string]uint64 {
	t.Helper()
	rows, err := store.Conn().Query(context.Background(), query)
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
