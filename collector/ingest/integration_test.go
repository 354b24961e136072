package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func drainOptions() DrainOptions {
	o := DefaultDrainOptions()
	o.Every, o.RetryFirst, o.RetryMax = 5*time.Millisecond, 5*time.Millisecond, 50*time.Millisecond
	return o
}

// counted asks the real store how many logs it holds, and how many different
// ones.
func counted(t testing.TB, store *clickhouse.Store) (all, different uint64) {
	t.Helper()
	row := store.Conn().QueryRow(context.Background(), "SELECT count(), uniqExact(Body) FROM otel_logs")
	if err := row.Scan(&all, &different); err != nil {
		t.Fatal(err)
	}
	return all, different
}

func expectCounted(t testing.TB, store *clickhouse.Store, want uint64) {
	t.Helper()
	if all, different := counted(t, store); all != want || different != want {
		t.Errorf("the store holds %d logs, %d different ones; %d were acknowledged", all, different, want)
	}
}

func (s *stack) waitUntilStored(t testing.TB) {
	t.Helper()
	eventually(t, "the spool is empty", func() bool { return s.spool.Stats().Records == 0 })
}

// sendMany exports requests of three records from several goroutines, each
// repeated until it is acknowledged, and gives the number of records.
func sendMany(t testing.TB, client plogotlp.GRPCClient, requests int) (records uint64, refusals int64) {
	t.Helper()
	var refused atomic.Int64
	failed := make(chan error, requests)
	for i := range requests {
		go func() {
			for {
				_, err := client.Export(context.Background(), oneLog(fmt.Sprint(i, "a"), fmt.Sprint(i, "b"), fmt.Sprint(i, "c")))
				if status.Code(err) != codes.ResourceExhausted {
					failed <- err
					return
				}
				refused.Add(1)
				time.Sleep(time.Millisecond) // a sender that waits less than it was told
			}
		}()
	}
	for range requests {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	return uint64(3 * requests), refused.Load()
}

func TestWhatIsAcknowledgedIsInTheStoreOnce(t *testing.T) {
	store := storetest.Open(t)
	s := serve(t, nil, func(o *spool.Options) { o.BatchRecords = 37 })
	var stored atomic.Int64
	o := drainOptions()
	o.Stored = func(_ model.Batch, rows *model.Rows) { stored.Add(int64(len(rows.Logs))) }
	stop := run(t, NewDrain(o, s.spool, store, s.health).Run)
	want, _ := sendMany(t, s.logsClient(t), 200)
	s.waitUntilStored(t)
	stop()
	expectCounted(t, store, want)
	if uint64(stored.Load()) != want {
		t.Errorf("Stored saw %d logs of %d", stored.Load(), want)
	}
	if n := s.metricValue(t, "evenkeel_ingest_records"); uint64(n) != want {
		t.Errorf("evenkeel_ingest_records %v", n)
	}
}

// TestTheStoreGoesAwayAndComesBack loses tries before the store and answers
// after it, while the spool fills and refuses.
func TestTheStoreGoesAwayAndComesBack(t *testing.T) {
	store := storetest.Open(t)
	front := &faulty{store: store}
	away := func(model.Batch) error { return errs.E("write", errs.Unavailable, errors.New("away"), "") }
	front.set(away, nil)
	s := serve(t, nil, func(o *spool.Options) { o.Max, o.Segment, o.BatchRecords = 16<<10, 2<<10, 5 })
	stop := run(t, NewDrain(drainOptions(), s.spool, front, s.health).Run)
	client := s.logsClient(t)
	back := time.AfterFunc(300*time.Millisecond, func() {
		n := 0
		front.set(nil, func(model.Batch) error { // from now on every third answer is lost
			if n++; n%3 == 0 {
				return errs.E("write", errs.Unavailable, errors.New("the answer was lost"), "")
			}
			return nil
		})
	})
	defer back.Stop()
	want, refusals := sendMany(t, client, 300)
	s.waitUntilStored(t)
	stop()
	expectCounted(t, store, want)
	if refusals == 0 {
		t.Error("the spool was never full: the test shows nothing")
	}
	if s.metricValue(t, "evenkeel_insert_retries") == 0 {
		t.Error("no try was repeated: the test shows nothing")
	}
}

func TestABatchThatTheStoreNeverTakesIsPutAside(t *testing.T) {
	store := storetest.Open(t)
	front := &faulty{store: store}
	var poisoned model.Batch
	front.set(func(b model.Batch) error {
		if poisoned == 0 || b == poisoned {
			poisoned = b
			return errs.E("write", errs.Corrupt, errors.New("another number of rows"), "")
		}
		return nil
	}, nil)
	s := serve(t, nil, func(o *spool.Options) { o.BatchRecords = 1 })
	client := s.logsClient(t)
	for i := range 3 {
		if _, err := client.Export(context.Background(), oneLog(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	stop := run(t, NewDrain(drainOptions(), s.spool, front, s.health).Run)
	s.waitUntilStored(t)
	stop()
	expectCounted(t, store, 2)
	if n := s.metricValue(t, "evenkeel_spool_quarantined"); n != 1 {
		t.Errorf("evenkeel_spool_quarantined %v", n)
	}
	if n := s.metricValue(t, "evenkeel_insert_rejected"); n != 1 {
		t.Errorf("evenkeel_insert_rejected %v", n)
	}
}

// TestARestartAsksTheStore stops a drain between the insert and its
// confirmation; the next process must find the batch there.
func TestARestartAsksTheStore(t *testing.T) {
	store := storetest.Open(t)
	folder := t.TempDir()
	first := openSpool(t, folder, nil)
	for i := range 5 {
		raw := bytesOf(t, oneLog(fmt.Sprint(i)))
		if _, err := first.Append(context.Background(), spool.Entry{Kind: spool.Logs, Body: raw}); err != nil {
			t.Fatal(err)
		}
	}
	b, err := first.Cut()
	if err != nil || b == nil {
		t.Fatalf("cut: %+v, %v", b, err)
	}
	rows, err := decodeBatch(NewDecoder(), b)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Write(context.Background(), model.SpoolBatch(b.First), rows, model.FirstTry); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := openSpool(t, folder, nil)
	health, err := NewHealth(prometheus.NewRegistry(), second)
	if err != nil {
		t.Fatal(err)
	}
	front := &faulty{store: store}
	stop := run(t, NewDrain(drainOptions(), second, front, health).Run)
	eventually(t, "the spool is empty", func() bool { return second.Stats().Records == 0 })
	stop()
	expectCounted(t, store, 5)
	if len(front.doubts) != 1 || front.doubts[0] != model.InDoubt {
		t.Errorf("doubts %v; want one write in doubt", front.doubts)
	}
}

func TestStoppingStoresWhatWaits(t *testing.T) {
	store := storetest.Open(t)
	s := serve(t, nil, nil)
	o := drainOptions()
	o.Every = time.Hour // only stopping empties it
	stop := run(t, NewDrain(o, s.spool, store, s.health).Run)
	want, _ := sendMany(t, s.logsClient(t), 20)
	stop()
	expectCounted(t, store, want)
}

func TestMetricsReachTheStore(t *testing.T) {
	store := storetest.Open(t)
	s := serve(t, nil, nil)
	run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("evenkeel.drift.score")
	m.SetEmptyGauge().DataPoints().AppendEmpty().SetDoubleValue(0.25)
	if r := post(t, "http://"+s.HTTPAddr()+"/v1/metrics", typeProto, "gzip", zipped(t, bytesOf(t, req))); r.status != 200 {
		t.Fatalf("%d %q", r.status, r.body)
	}
	s.waitUntilStored(t)
	got, err := store.SelectSeries(context.Background(), []model.Matcher{{Name: "__name__", Value: "evenkeel_drift_score"}},
		time.Now().Add(-time.Minute), time.Now().Add(time.Minute))
	if err != nil || len(got) != 1 || len(got[0].Samples) != 1 || got[0].Samples[0].Value != 0.25 {
		t.Errorf("%+v, %v", got, err)
	}
}
