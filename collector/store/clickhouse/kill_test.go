package clickhouse_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// TestExactlyOnceWhileTheEngineIsKilled writes batch after batch while the
// engine is killed (-9) at random moments and writes are called off half-way,
// and then compares what is stored with what was acknowledged.
func TestExactlyOnceWhileTheEngineIsKilled(t *testing.T) {
	kills := 8
	if testing.Short() {
		kills = 3
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := storetest.Open(t)

	killed := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		defer close(killed)
		killRepeatedly(t, rand.New(rand.NewPCG(seed, 1)), kills)
	})
	dice := rand.New(rand.NewPCG(seed, 2))
	const rows = 300
	last, tries := 0, 0
	for running := true; running; {
		select {
		case <-killed:
			running = false // one more batch after the last death
		default:
		}
		last++
		tries += writeUntilAcknowledged(t, s, dice, model.SpoolBatch(uint64(last)), numbered(last, rows))
	}
	killer.Wait()

	want := uint64(last) * rows
	for table, id := range map[string]string{
		"otel_logs": "Body", "evaluations": "id", "samples": "fingerprint", "predictions": "id", "labels": "id",
	} {
		count := scalar(t, s, "SELECT count() FROM "+table+final(table))
		unique := scalar(t, s, "SELECT uniqExact("+id+") FROM "+table)
		if count != want || unique != want {
			t.Errorf("%s holds %d rows, %d unique, of %d acknowledged", table, count, unique, want)
		}
	}
	t.Logf("%d batches in %d tries over %d deaths", last, tries, kills)
}

// killRepeatedly kills the engine, each time after it was up for a moment.
func killRepeatedly(t *testing.T, dice *rand.Rand, kills int) {
	e := storetest.Engine(t)
	deadline := time.Now().Add(time.Minute)
	for dead := 0; kills > 0; {
		pid := e.Pid()
		if pid == 0 || pid == dead {
			if time.Now().After(deadline) {
				t.Error("the engine does not come back")
				return
			}
			time.Sleep(time.Millisecond)
			continue
		}
		time.Sleep(time.Duration(dice.IntN(500)) * time.Millisecond) // the random moment
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Error(err)
			return
		}
		dead = pid
		kills--
	}
}

// writeUntilAcknowledged does what the drain does, and says in how many tries.
// One try in five is given too little time.
func writeUntilAcknowledged(t *testing.T, s *clickhouse.Store, dice *rand.Rand, batch model.Batch, rows *model.Rows) int {
	t.Helper()
	for tries := 1; ; tries++ {
		limit := 30 * time.Second
		if dice.IntN(5) == 0 {
			limit = time.Duration(dice.IntN(20_000)) * time.Microsecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := s.Write(ctx, batch, rows, model.Doubt(tries > 1))
		cancel()
		if err == nil {
			return tries
		}
		if errs.KindOf(err) != errs.Unavailable {
			t.Fatalf("batch %d: %v", batch, err)
		}
	}
}

// final makes one row of those that replace each other.
func final(table string) string {
	if table == "evaluations" {
		return " FINAL"
	}
	return ""
}

// numbered makes rows whose ids no other batch has.
func numbered(batch, n int) *model.Rows {
	rows := &model.Rows{}
	for i := range n {
		at := noon.Add(time.Duration(i%2) * day)
		id := fmt.Sprintf("%d-%d", batch, i)
		rows.Logs = append(rows.Logs, model.Log{Time: at, Body: id, LogAttributes: map[string]string{"n": id}})
		p := prediction(id, 0, noon)
		rows.Predictions = append(rows.Predictions, p)
		rows.Labels = append(rows.Labels, signal.Label{System: p.System, ID: id, Value: p.Value, Time: noon, Received: noon})
		rows.Evaluations = append(rows.Evaluations, model.Evaluation{ID: id, Rule: "R", Subject: map[string]string{"n": id}, WindowEnd: at})
		rows.Samples = append(rows.Samples, model.Sample{Fingerprint: uint64(batch*n + i), Time: at})
	}
	return rows
}

// TestARowThatWasAcknowledgedSurvivesTheEngine is the plain case of the above.
func TestARowThatWasAcknowledgedSurvivesTheEngine(t *testing.T) {
	s, e := storetest.Open(t), storetest.Engine(t)
	write(t, s, model.SpoolBatch(1), everything(), model.FirstTry)
	if err := syscall.Kill(e.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	writeUntilAcknowledged(t, s, rand.New(rand.NewPCG(1, 1)), model.SpoolBatch(2), everything())
	wantRowsOf(t, s, model.SpoolBatch(1), 4, growing()...)
	wantRows(t, s, model.SpoolBatch(2), 4)
}
