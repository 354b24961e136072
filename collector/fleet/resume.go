package fleet

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// resumeSpan is how much earlier than the newest record another one may be and
// still be scored again. One window is sealed after the other, so only the
// newest can lack its scores; the span is for clocks that were set back.
const resumeSpan = time.Minute

// sealedWindow is a recorded window and the track that it belongs to.
type sealedWindow struct {
	track  *track
	window *model.FleetWindow
}

// resume does what a crash may have cut short: it computes the scores of what
// was recorded last, from exactly what is recorded, and tells again of all that
// was sealed not too long ago. sealed is ordered by end within each track.
func (f *Fleet) resume(ctx context.Context, sealed []sealedWindow, now time.Time) error {
	for _, s := range recordedLast(sealed) {
		err := f.scoreAgain(ctx, s)
		if errs.KindOf(err) == errs.Corrupt {
			f.metrics.failed.Inc()
			f.options.Log.Error("what a window records is not there any more; its scores stay as they are", "error", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	for _, s := range sealed {
		if s.window.End.After(s.track.clock(now).Add(-f.options.catchUp(s.track.length))) {
			f.tell(ctx, s.window)
		}
	}
	return ctx.Err()
}

// scoreAgain stores the scores of a recorded window, if they are not there. A
// labelled window holds its counts; those of one over rows are merged again.
func (f *Fleet) scoreAgain(ctx context.Context, s sealedWindow) error {
	if s.track.labelled {
		return f.storeScores(ctx, s.window, nil)
	}
	sum, err := f.recount(ctx, s.track, s.window)
	if err != nil {
		return err
	}
	return f.storeScores(ctx, s.window, sum)
}

// recordedLast gives the newest window of each lane, of those recorded within
// resumeSpan of the newest of all.
func recordedLast(sealed []sealedWindow) []sealedWindow {
	type key struct {
		track *track
		lane  lane
	}
	newest := map[key]sealedWindow{}
	var at time.Time
	for _, s := range sealed {
		newest[key{s.track, lane{s.window.System, s.window.Model}}] = s
		at = later(at, s.window.SealedAt)
	}
	var out []sealedWindow
	for _, s := range newest {
		if !s.window.SealedAt.Before(at.Add(-resumeSpan)) {
			out = append(out, s)
		}
	}
	return out
}
