package clickhouse_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestABatchIsStoredOnceHoweverOftenItIsTried(t *testing.T) {
	s := storetest.Open(t)
	batch, other := model.SpoolBatch(7), model.DerivedBatch(7)
	write(t, s, batch, everything(), model.FirstTry)
	for range 3 {
		write(t, s, batch, everything(), model.InDoubt)
	}
	write(t, s, other, everything(), model.InDoubt)
	for _, b := range []model.Batch{batch, other} {
		wantRowsOf(t, s, b, 4, growing()...)
	}
	if n := scalar(t, s, "SELECT count() FROM evaluations FINAL"); n != 4 { // the same verdicts, whatever they came with
		t.Errorf("%d evaluations", n)
	}
	write(t, s, model.SpoolBatch(8), &model.Rows{}, model.FirstTry)
}

func TestWhatAnInterruptedWriteLeftOutIsAdded(t *testing.T) {
	s := storetest.Open(t)
	batch := model.SpoolBatch(1)
	part := everything()
	part.Logs, part.Evaluations, part.Events = nil, nil, nil
	part.Samples = part.Samples[:2] // the first of two days
	write(t, s, batch, part, model.FirstTry)
	write(t, s, batch, everything(), model.InDoubt)
	wantRows(t, s, batch, 4)
}

func TestABatchWithOtherRowsIsCorrupt(t *testing.T) {
	s := storetest.Open(t)
	batch := model.SpoolBatch(1)
	part := everything()
	part.Samples = part.Samples[:1]
	write(t, s, batch, part, model.FirstTry)
	err := s.Write(t.Context(), batch, everything(), model.InDoubt)
	if errs.KindOf(err) != errs.Corrupt || !strings.Contains(err.Error(), "samples holds 1 rows of batch 1 on 2026-03-10, not 2") {
		t.Errorf("got %v", err)
	}
}

// TestOneInsertIsOneBlock is what makes a batch stored wholly or not at all.
func TestOneInsertIsOneBlock(t *testing.T) {
	s := storetest.Open(t)
	const n = 1_200_000 // more than the server's usual block
	samples := make([]model.Sample, n)
	for i := range samples {
		samples[i] = model.Sample{Fingerprint: uint64(i), Time: noon, Value: 1}
	}
	write(t, s, model.SpoolBatch(1), &model.Rows{Samples: samples}, model.FirstTry)
	largest := scalar(t, s, `SELECT max(rows) FROM system.parts WHERE database = currentDatabase() AND table = 'samples' AND level = 0`)
	if largest != n {
		t.Errorf("the largest part as inserted holds %d of %d rows", largest, n)
	}
}

// TestAnEarlierTryThatStillRunsIsEnded starts an insert that would arrive
// late, under the name that Write gives to its inserts.
func TestAnEarlierTryThatStillRunsIsEnded(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	batch := model.SpoolBatch(5)
	late := make(chan error, 1)
	name := token(options, batch)
	go func() {
		ctx := ch.Context(context.Background(), ch.WithQueryID(name), ch.WithSettings(ch.Settings{
			"max_block_size": 1, "function_sleep_max_microseconds_per_block": 600_000_000, "async_insert": 0,
		}))
		late <- s.Conn().Exec(ctx, "INSERT INTO samples SELECT 1, now64(3), sleepEachRow(3), 5 FROM numbers(200)")
	}()
	deadline := time.Now().Add(60 * time.Second)
	for scalar(t, s, "SELECT count() FROM system.processes WHERE query_id = {name:String}", ch.Named("name", name)) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the earlier try did not begin")
		}
		time.Sleep(5 * time.Millisecond)
	}
	err := s.Write(t.Context(), batch, everything(), model.InDoubt)
	for ; errs.KindOf(err) == errs.Unavailable && time.Now().Before(deadline); err = s.Write(t.Context(), batch, everything(), model.InDoubt) {
		t.Log(err) // the engine loses a KILL that comes while a query is being set up; who writes tries again
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := <-late; err == nil {
		t.Error("the earlier try was let through")
	}
	wantRows(t, s, batch, 4)
}

// token is what Write gives to the samples of noon's day.
func token(options clickhouse.Options, batch model.Batch) string {
	return fmt.Sprintf("evenkeel/%s/%d/samples/2026-03-10", options.Database, batch)
}

// insertLate sends two samples of a batch as an earlier try of Write would.
func insertLate(t *testing.T, s *clickhouse.Store, options clickhouse.Options, batch model.Batch) {
	t.Helper()
	ctx := ch.Context(t.Context(), ch.WithSettings(ch.Settings{"async_insert": 0, "insert_deduplication_token": token(options, batch)}))
	if err := s.Conn().Exec(ctx, fmt.Sprintf("INSERT INTO samples SELECT 1, toDateTime64('2026-03-10 12:00:00', 3, 'UTC'), 0, %d FROM numbers(2)", batch)); err != nil {
		t.Fatal(err)
	}
}

// TestAnEarlierTryThatArrivesLateIsDropped sends it after everything is there.
func TestAnEarlierTryThatArrivesLateIsDropped(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	for batch, doubt := range map[model.Batch]model.Doubt{model.SpoolBatch(1): model.FirstTry, model.SpoolBatch(2): model.InDoubt} {
		write(t, s, batch, everything(), doubt)
		insertLate(t, s, options, batch)
		wantRows(t, s, batch, 4)
	}
}

// TestATokenWithoutItsRowsKeepsNothingOut makes the server remember a token
// whose rows are not there, as a crash between the two does.
func TestATokenWithoutItsRowsKeepsNothingOut(t *testing.T) {
	options := storetest.Options(t)
	s := storetest.OpenWith(t, options)
	batch := model.SpoolBatch(5)
	insertLate(t, s, options, batch)
	if err := s.Conn().Exec(t.Context(), "DELETE FROM samples WHERE batch = 5 SETTINGS lightweight_deletes_sync = 2"); err != nil {
		t.Fatal(err)
	}
	insertLate(t, s, options, batch)
	if n := scalar(t, s, "SELECT count() FROM samples"); n != 0 {
		t.Fatalf("the token is not remembered, so this test shows nothing: %d rows", n)
	}
	write(t, s, batch, everything(), model.InDoubt)
	wantRows(t, s, batch, 4)
}

func TestKnownSeriesAreNotWrittenAgain(t *testing.T) {
	options := storetest.Options(t)
	options.SeenEvery = time.Minute
	s := storetest.OpenWith(t, options)
	if err := s.Conn().Exec(t.Context(), "SYSTEM STOP MERGES series"); err != nil {
		t.Fatal(err)
	}
	x := series("up", "instance", "a")
	for i, after := range []time.Duration{0, time.Second, 59 * time.Second, time.Minute, 90 * time.Second, 2 * time.Minute} {
		x.SeenAt = noon.Add(after)
		write(t, s, model.SpoolBatch(uint64(i+1)), &model.Rows{Series: []model.Series{x, x}}, model.FirstTry)
	}
	if n := scalar(t, s, "SELECT count() FROM series"); n != 3 {
		t.Errorf("%d rows for a series seen for two minutes, want 3", n)
	}
	found, err := s.FindSeries(t.Context(), nil, noon, noon)
	if err != nil || len(found) != 1 || !found[0].SeenAt.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestImpossibleTimesDoNotBlockABatch(t *testing.T) {
	s := storetest.Open(t)
	rows := &model.Rows{
		Samples: []model.Sample{{Time: time.UnixMilli(math63)}, {Time: time.Time{}}, {Time: time.Date(1815, 6, 18, 0, 0, 0, 0, time.UTC)}},
		Logs:    []model.Log{{Time: time.Unix(0, math63)}, {}, {ObservedTime: noon}},
	}
	write(t, s, model.SpoolBatch(1), rows, model.FirstTry)
	write(t, s, model.SpoolBatch(1), rows, model.InDoubt)
	if n := scalar(t, s, "SELECT count() FROM samples") + scalar(t, s, "SELECT count() FROM otel_logs"); n != 6 {
		t.Errorf("%d rows, want 6", n)
	}
	if n := scalar(t, s, "SELECT count() FROM otel_logs WHERE Timestamp = {t:DateTime64(9)}", ch.Named("t", noon.Format("2006-01-02 15:04:05"))); n != 1 {
		t.Error("a log record without a time is not at the time it was observed")
	}
}

const math63 = 1<<63 - 1

func TestAWriteThatWasCalledOffMayBeTriedAgain(t *testing.T) {
	s := storetest.Open(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Write(canceled, model.SpoolBatch(1), everything(), model.FirstTry)
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v", err)
	}
	write(t, s, model.SpoolBatch(1), everything(), model.InDoubt)
	wantRows(t, s, model.SpoolBatch(1), 4)
}

// TestAServerThatCannotTakeMoreIsTriedAgain lets the server refuse parts.
func TestAServerThatCannotTakeMoreIsTriedAgain(t *testing.T) {
	s := storetest.Open(t)
	for _, statement := range []string{
		"SYSTEM STOP MERGES samples", "ALTER TABLE samples MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1",
	} {
		if err := s.Conn().Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	one := &model.Rows{Samples: []model.Sample{{Time: noon}}}
	write(t, s, model.SpoolBatch(1), one, model.FirstTry)
	if err := s.Write(t.Context(), model.SpoolBatch(2), one, model.FirstTry); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v", err)
	}
	if err := s.Conn().Exec(t.Context(), "ALTER TABLE samples RESET SETTING parts_to_delay_insert, parts_to_throw_insert"); err != nil {
		t.Fatal(err)
	}
	write(t, s, model.SpoolBatch(2), one, model.InDoubt)
	if n := scalar(t, s, "SELECT count() FROM samples"); n != 2 {
		t.Errorf("%d samples, want 2", n)
	}
}
