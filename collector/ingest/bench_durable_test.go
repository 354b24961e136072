package ingest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// BenchmarkDurableIngest compares the whole way, from the bytes of a request over
// the synced spool into the store, with inserting the very same rows by
// clickhouse-go alone, in batches of the same size and one after the other, as
// columns that are there already. The ratio is of rows a second, ours to theirs.
func BenchmarkDurableIngest(b *testing.B) {
	b.Run("metrics", func(b *testing.B) {
		durable(b, spool.Metrics, func(n int) []byte {
			req, metrics := newMetrics()
			for i := range benchItems / 10 {
				m := metrics.AppendEmpty()
				m.SetName(fmt.Sprintf("evenkeel.metric.%d", i))
				points := m.SetEmptyGauge().DataPoints()
				for j := range 10 {
					p := points.AppendEmpty()
					p.SetDoubleValue(float64(n*i + j))
					p.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(n) * time.Second)))
					p.Attributes().PutStr(signal.KeyModelName, "loans")
					p.Attributes().PutStr(signal.KeyFeatureName, fmt.Sprintf("feature-%d", j))
				}
			}
			return bytesOf(b, req)
		})
	})
	b.Run("predictions", func(b *testing.B) {
		durable(b, spool.Logs, func(n int) []byte {
			var of []*signal.Prediction
			for i := range benchItems {
				of = append(of, prediction(fmt.Sprintf("9f1c2b7e-%04x-4000-8000-%012x", n, i), 0))
			}
			return bytesOf(b, predictions(of...))
		})
	})
}

func durable(b *testing.B, kind spool.Kind, request func(n int) []byte) {
	const requests, perBatch = 200, 50
	store := storetest.Open(b)
	bodies := make([][]byte, requests)
	for n := range bodies {
		bodies[n] = request(n)
	}
	var direct []*model.Rows // decoded beforehand: a rival that has its rows
	for n := 0; n < requests; n += perBatch {
		d := NewDecoder()
		for _, body := range bodies[n : n+perBatch] {
			if err := d.Add(kind, body, noon); err != nil {
				b.Fatal(err)
			}
		}
		direct = append(direct, &d.Rows)
	}
	clock := func() time.Time { return noon }
	s := serve(b, func(o *ServerOptions) { o.Now = clock }, func(o *spool.Options) {
		o.Max, o.BatchRecords, o.BatchBytes = 16<<30, perBatch, 1<<30
	})
	run(b, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	var ours, theirs time.Duration
	batch := uint64(1) << 40
	for round := 0; b.Loop(); round++ {
		started := time.Now()
		var senders sync.WaitGroup
		for w := range 8 {
			senders.Go(func() {
				for n := w; n < requests; n += 8 {
					if _, err := s.in.take(b.Context(), "bench", kind, bodies[n], fmt.Sprint("bench/", round, "/", n)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		senders.Wait()
		s.waitUntilStored(b)
		ours += time.Since(started)
		started = time.Now()
		for _, rows := range direct {
			batch++
			if err := store.Write(b.Context(), model.SpoolBatch(batch), rows, model.FirstTry); err != nil {
				b.Fatal(err)
			}
		}
		theirs += time.Since(started)
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(b.N*requests*benchItems)/ours.Seconds(), "rows/s")
}
