package ingest

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// TestWhatWasAcknowledgedIsNotRefusedByALaterLook takes a prediction as old, and
// one as far ahead, as can be, while the clock moves on and is set back before the
// spool writes: what was judged when it came is judged alike by the drain.
func TestWhatWasAcknowledgedIsNotRefusedByALaterLook(t *testing.T) {
	store := storetest.Open(t)
	for name, c := range map[string]struct{ at, written time.Time }{
		"too old meanwhile":       {noon.Add(-oldestPrediction), noon.Add(time.Second)},
		"too far ahead meanwhile": {noon.Add(model.ClockSlack), noon.Add(-time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(o *ServerOptions) { o.Now = func() time.Time { return noon } },
				func(o *spool.Options) { o.Now = func() time.Time { return c.written } })
			p := prediction(name, 0)
			p.Time = c.at
			if _, err := s.logsClient(t).Export(t.Context(), predictions(p)); err != nil {
				t.Fatal(err)
			}
			stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
			s.waitUntilStored(t)
			stop()
			var stored uint64
			if err := store.Conn().QueryRow(t.Context(), "SELECT count() FROM predictions WHERE id = ?", name).Scan(&stored); err != nil || stored != 1 {
				t.Errorf("%d of the 1 prediction that was acknowledged is stored, %v", stored, err)
			}
		})
	}
}

// TestACorrectionBackIsNoRepetition says A, then B, then A again, without a name
// for the requests and without times: the last word is A.
func TestACorrectionBackIsNoRepetition(t *testing.T) {
	store := storetest.Open(t)
	var at atomic.Int64
	clock := func() time.Time { return noon.Add(time.Duration(at.Load())) }
	s := serve(t, func(o *ServerOptions) { o.Now = clock }, func(o *spool.Options) { o.Now = clock })
	stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	if _, err := s.logsClient(t).Export(t.Context(), predictions(prediction("a", 0))); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"A", "B", "A"} {
		at.Add(int64(time.Second))
		if err := s.TakeLabels(t.Context(), []signal.Label{{System: "loan-approval", ID: "a", Value: value}}, ""); err != nil {
			t.Fatal(err)
		}
	}
	s.waitUntilStored(t)
	stop()
	err := store.LabelledPredictions(t.Context(), "loan-approval", prediction("", 0).Model, noon.Add(-time.Hour), noon, noon.Add(time.Hour),
		func(p *signal.LabelledPrediction) error {
			if p.Label == nil || p.Label.Value != "A" {
				t.Errorf("the label is %+v; the last word was A", p.Label)
			}
			return nil
		})
	if err != nil {
		t.Error(err)
	}
}

// TestTextsThatAreNoneAreRefused sends what cannot stand in a cohort's record or
// in a question to the store.
func TestTextsThatAreNoneAreRefused(t *testing.T) {
	p, l, long := prediction("a", 0), &signal.Label{ID: "a", Value: "caf\xe9"}, predictions(prediction("a", 0))
	p.Value = "caf\xe9"
	long.Logs().ResourceLogs().At(0).Resource().Attributes().PutStr(signal.KeySystemID, strings.Repeat("x", maxSystem+1))
	latin := labels(&signal.Label{ID: "a", Value: "1"})
	latin.Logs().ResourceLogs().At(0).Resource().Attributes().PutStr(signal.KeySystemID, "caf\xe9")
	for name, c := range map[string]struct {
		request interface{ MarshalProto() ([]byte, error) }
		says    string
	}{
		"a value that is not UTF-8":  {predictions(p), "evenkeel.prediction.value: not UTF-8"},
		"a label that is not UTF-8":  {labels(l), "evenkeel.label.value: not UTF-8"},
		"a system that is not UTF-8": {latin, signal.KeySystemID + ": not UTF-8"},
		"a system of 1025 bytes":     {long, "1025 bytes, more than 1024"},
	} {
		d := decode(t, spool.Logs, bytesOf(t, c.request))
		if n := len(d.Rows.Predictions) + len(d.Rows.Labels); n != 0 || d.Refused.Count != 1 || !strings.Contains(d.Refused.First, c.says) {
			t.Errorf("%s: %d rows, %+v", name, n, d.Refused)
		}
	}
}

// TestTheLogOfAWindowLacksWhatOnlyMachinesRead keeps sketches and sums in the
// table distributions alone.
func TestTheLogOfAWindowLacksWhatOnlyMachinesRead(t *testing.T) {
	d := window(1)
	d.Target, d.Kind, d.Counts, d.N, d.Missing, d.New = signal.TargetRows, signal.Sums, []uint64{3}, 3, 0, 0
	d.Sum, d.SumSquares, d.Min, d.Max = 0, 0, math.NaN(), math.NaN()
	d.Distinct, d.Embedded = &measure.HyperLogLog{}, []float64{1, 2}
	d.Distinct.Add(measure.RowHash(7))
	req, records := newLogs()
	putWindow(records.AppendEmpty(), d)
	got := decode(t, spool.Logs, bytesOf(t, req))
	if len(got.Rows.Distributions) != 1 || got.Rows.Distributions[0].Distinct == nil || len(got.Rows.Distributions[0].Embedded) != 2 {
		t.Fatalf("%+v, %+v", got.Tally, got.Rows.Distributions)
	}
	for key, text := range got.Rows.Logs[0].LogAttributes {
		if strings.HasSuffix(key, ".distinct") || strings.HasSuffix(key, ".embedded") {
			t.Errorf("%s holds %d bytes", key, len(text))
		}
	}
	if n := got.Rows.Logs[0].LogAttributes["evenkeel.n"]; n != "3" {
		t.Errorf("evenkeel.n is %q", n)
	}
}
