package export

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Bounds of what single predictions take before they are on disk.
const (
	predictionsEvery   = 500 * time.Millisecond // from the first that waits until all are written
	predictionsAtOnce  = 512 << 10              // bytes of memory that are written at once, in one request
	maxPredictionBytes = 16 << 20               // bytes of memory that wait; what does not fit is lost
)

// Why predictions are lost.
const (
	lostMemory  = "memory_full" // they came faster than they were written
	lostSpool   = "spool_full"  // the spool did not take them, or gave their room to windows
	lostUnsent  = "unsendable"  // longer than a prediction may be, or not encoded
	lostRefused = "refused"     // by the collector
	lostExpired = "expired"     // waited too long on disk
	lostDamaged = "damaged"     // on disk
)

// predictions waits for rows, and writes many of them at once. Adding never
// waits for the disk. Safe for concurrent use.
type predictions struct {
	writer *evidence
	wake   chan struct{} // something waits
	full   chan struct{} // enough waits for a request

	mu      sync.Mutex
	waiting []signal.Prediction
	bytes   int64
	memory  int64 // lost, by reason
	spool   int64
	unsent  int64
}

func newPredictions(w *evidence) *predictions {
	return &predictions{writer: w, wake: make(chan struct{}, 1), full: make(chan struct{}, 1)}
}

// add takes the rows of one request, all or none, without the run that served
// them.
func (p *predictions) add(rows []signal.Prediction) {
	if len(rows) == 0 {
		return
	}
	var n int64
	for i := range rows {
		n += sizeOf(&rows[i])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes+n > maxPredictionBytes {
		p.memory += int64(len(rows))
		return
	}
	p.waiting = append(p.waiting, rows...)
	p.bytes += n
	signalTo(p.wake)
	if p.bytes >= predictionsAtOnce {
		signalTo(p.full)
	}
}

func signalTo(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// rowBytes is what a row takes in memory at the least.
const rowBytes = 320

// fits says whether so many more rows can wait; where they cannot, they are lost.
func (p *predictions) fits(rows int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes+rowBytes*int64(rows) <= maxPredictionBytes {
		return true
	}
	p.memory += int64(rows)
	return false
}

// sizeOf estimates a row's size in memory, in bytes. What rows of a request
// share is counted with each.
func sizeOf(p *signal.Prediction) int64 {
	const group = 32
	return rowBytes + int64(len(p.ID)+len(p.Value)+len(p.TraceID)) + group*int64(len(p.Groups))
}

// await waits until it is time to write; false when ctx is done.
func (p *predictions) await(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-p.wake:
	}
	timer := time.NewTimer(predictionsEvery)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-p.full:
	case <-timer.C:
	}
	return true
}

// take gives what waits, in order.
func (p *predictions) take() []signal.Prediction {
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := p.waiting
	p.waiting, p.bytes = nil, 0
	return rows
}

// lose counts rows that will never be sent.
func (p *predictions) lose(of *int64, rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*of += int64(rows)
}

// lost gives how many rows were lost, by reason; c is the spool's account.
func (p *predictions) lost(c Counts) map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return map[string]int64{
		lostMemory: p.memory, lostSpool: p.spool + c.RecordsEvicted, lostUnsent: p.unsent,
		lostRefused: c.RecordsRefused, lostExpired: c.RecordsExpired, lostDamaged: c.RecordsDamaged,
	}
}

// Predict takes the rows of one request to be sent, each as an event of its
// own, within about a second. It keeps them and never waits: what does not fit
// in memory is lost and counted. The exporter fills in the lineage run.
func (e *Exporter) Predict(rows []signal.Prediction) { e.predictions.add(rows) }

// CanPredict says whether so many rows of one request fit in memory beside those
// that wait. Where they do not they are lost and counted, and must not be given to
// Predict: a request may hold a million rows, whose predictions take a hundred
// times its bytes.
func (e *Exporter) CanPredict(rows int) bool { return e.predictions.fits(rows) }

// keepPredictions writes predictions until ctx is done; what comes later is
// Close's to write. What is being written then is written to its end.
func (e *Exporter) keepPredictions(ctx context.Context) {
	toDisk := context.WithoutCancel(ctx)
	for e.predictions.await(ctx) {
		e.writePredictions(toDisk)
	}
}

// writePredictions writes what waits, a bounded part of it in each request.
// What the spool does not take is lost: there is nowhere to keep it.
func (e *Exporter) writePredictions(ctx context.Context) {
	rows := e.predictions.take()
	e.nameRuns(ctx, rows)
	for len(rows) > 0 {
		end, n := 0, int64(0)
		for end < len(rows) && n < predictionsAtOnce {
			n += sizeOf(&rows[end])
			end++
		}
		e.writePart(ctx, rows[:end])
		rows = rows[end:]
	}
}

func (e *Exporter) writePart(ctx context.Context, rows []signal.Prediction) {
	p := e.predictions
	events := make([]event, 0, len(rows))
	err := e.o.Guard.Try(partPredictions, func() error {
		for _, row := range rows {
			if row.Validate() != nil {
				continue
			}
			at := row.Time
			row.Time, row.Instance = time.Time{}, "" // the event and its resource say it
			events = append(events, event{name: signal.EventPrediction, at: at, attrs: signal.EncodePrediction(&row)})
		}
		if len(events) == 0 {
			return nil
		}
		return p.writer.Write(context.WithValue(ctx, recordsKey{}, int64(len(events))), events)
	})
	p.lose(&p.unsent, len(rows)-len(events))
	if err != nil {
		p.lose(&p.spool, len(events))
		e.o.Log.Warn("predictions are lost: they could not be written to the export spool", "predictions", len(events), "error", err)
	}
}

// nameRuns writes the lineage run into rows. A version that is new is declared
// first.
func (e *Exporter) nameRuns(ctx context.Context, rows []signal.Prediction) {
	runs := map[signal.ModelRef]string{}
	for i := range rows {
		ref := rows[i].Model
		run, known := runs[ref]
		if !known {
			run = e.runOf(ctx, ref)
			runs[ref] = run
		}
		rows[i].Run = run
	}
}

// runOf gives the lineage run of a model version; empty where too many versions
// are declared already.
func (e *Exporter) runOf(ctx context.Context, ref signal.ModelRef) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.meet(ctx, ref)
	i := slices.IndexFunc(e.models, func(m *declared) bool { return m.Name == ref.Name && m.Version == ref.Version })
	if i < 0 {
		return ""
	}
	return e.models[i].runID
}

// closePredictions writes the last rows and ends the writer.
func (e *Exporter) closePredictions(ctx context.Context) error {
	e.writePredictions(ctx)
	return e.predictions.writer.Close(ctx)
}
