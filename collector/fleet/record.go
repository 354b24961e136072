package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// record stores what a window is made of, before anything is computed from it,
// and gives what the store then holds. That may be an earlier record of the
// same window, by a try before a crash that came through after all: it stands,
// and only what is stored is ever scored and told.
func (f *Fleet) record(ctx context.Context, w *model.FleetWindow) (*model.FleetWindow, error) {
	err := f.write(ctx, batchOf(batchRecord, w), &model.Rows{FleetWindows: []model.FleetWindow{*w}})
	if err != nil && errs.KindOf(err) != errs.Corrupt {
		return nil, err
	}
	if err != nil {
		f.metrics.failed.Inc()
		f.options.Log.Error("the store holds this window more than once; the first stands", "error", err,
			"system", w.System, "model", w.Model.String(), "length", w.Length, "end", w.End)
	}
	found, err := f.options.Store.FleetWindows(ctx, w.End.Add(-time.Nanosecond), w.End)
	if err != nil {
		return nil, err
	}
	var first *model.FleetWindow
	for i := range found {
		o := &found[i]
		if sameWindow(o, w) && (first == nil || o.SealedAt.Before(first.SealedAt)) {
			first = o
		}
	}
	if first == nil {
		return nil, errs.E("record a sealed window", errs.Unavailable, errors.New("the store does not show what it has taken"), "")
	}
	return first, nil
}

// sameWindow says that two records are about the same window. Of one lane, length
// and end there may be two: one over rows and a labelled one.
func sameWindow(a, b *model.FleetWindow) bool {
	return a.System == b.System && a.Model == b.Model && a.Length == b.Length && a.End.Equal(b.End) && a.Labelled() == b.Labelled() && a.Revision == b.Revision
}

// storeScores computes the scores of a recorded window and stores them. Where
// the store already holds some, computed before a crash from the same record,
// those stand: by now a baseline may be known that was not then.
func (f *Fleet) storeScores(ctx context.Context, w *model.FleetWindow, sum *merged) error {
	rows, err := f.score(ctx, w, sum)
	if err != nil || rows.Empty() {
		return err
	}
	err = f.write(ctx, batchOf(batchScores, w), rows)
	if errs.KindOf(err) != errs.Corrupt {
		return err
	}
	f.metrics.failed.Inc()
	f.options.Log.Error("the store holds other scores of this window than were computed now; those stand", "error", err,
		"system", w.System, "model", w.Model.String(), "length", w.Length, "end", w.End)
	return nil
}

// write repeats until the rows are stored, ctx ends or the store refuses them.
func (f *Fleet) write(ctx context.Context, batch model.Batch, rows *model.Rows) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f.options.Store.Write(ctx, batch, rows, model.InDoubt)
		if err != nil && !errs.Retryable(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, wait time.Duration) {
		f.options.Log.Warn("sealed window is not stored yet", "error", err, "again_in", wait)
	}))
	return err
}

// The rows that are stored about a window, each in a batch of its own.
const (
	batchRecord = "fleet"
	batchScores = "fleet scores"
)

// batchOf numbers one kind of rows by the window that they are about, so that
// they are stored once.
func batchOf(kind string, w *model.FleetWindow) model.Batch {
	if w.Labelled() {
		kind += " of labelled"
	}
	if w.Revision > 0 {
		kind += " revised " + strconv.FormatUint(uint64(w.Revision), 10)
	}
	hash := xxhash.Sum64String(fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%d\x00%d",
		kind, w.System, w.Model.Name, w.Model.Version, w.Length, w.End.UnixNano()))
	if w.Revision > 0 {
		return model.RevisedBatch(hash, w.Revision)
	}
	return model.DerivedBatch(hash)
}

// recount merges again exactly what a window records, also where more has come
// since.
func (f *Fleet) recount(ctx context.Context, t *track, w *model.FleetWindow) (*merged, error) {
	wanted := map[signal.WindowID]bool{}
	for _, text := range w.WindowIDs {
		ids, err := signal.ParseWindows(text)
		if err != nil {
			return nil, errs.E("read a sealed window's ids", errs.Corrupt, err, "")
		}
		for _, id := range ids {
			wanted[id] = true
		}
	}
	sum, of := newMerged(), lane{w.System, w.Model}
	for from := w.Start; from.Before(w.End) && len(wanted) > 0; from = from.Add(f.options.Chunk) {
		parts, err := f.read(ctx, t, from, earlier(from.Add(f.options.Chunk), w.End))
		if err != nil {
			return nil, err
		}
		for _, one := range assemble(parts)[of] {
			if wanted[one.id] {
				sum.add([]*window{one})
			}
		}
	}
	if len(sum.taken) != len(wanted) {
		return nil, errs.E("merge a sealed window again", errs.Corrupt,
			fmt.Errorf("%s of %s until %s records %d windows, and the store holds %d of them",
				w.Model, w.System, w.End.Format(time.RFC3339Nano), len(wanted), len(sum.taken)), "")
	}
	return sum, nil
}
