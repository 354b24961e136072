package fleet

import (
	"context"
	"slices"
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

// past is what a restart needs as a whole of what was sealed: what is told again,
// by end within each track, and the newest window of each lane.
type past struct {
	any    bool      // something was ever sealed
	at     time.Time // when it was, last
	told   []sealedWindow
	newest map[laneOfTrack]sealedWindow

	revised map[laneOfTrack][]sealedWindow // newest revisions, of those recorded last
}

type laneOfTrack struct {
	track *track
	lane  lane
}

func newPast() *past {
	return &past{newest: map[laneOfTrack]sealedWindow{}, revised: map[laneOfTrack][]sealedWindow{}}
}

// take keeps a copy, so that the windows that it was read with can go.
func (p *past) take(s sealedWindow, told bool) {
	w := *s.window
	s.window = &w
	p.at = later(p.at, w.SealedAt)
	key := laneOfTrack{s.track, lane{w.System, w.Model}}
	if w.Revision > 0 {
		kept := slices.DeleteFunc(p.revised[key], func(o sealedWindow) bool {
			return o.window.End.Equal(w.End) || o.window.SealedAt.Before(p.at.Add(-resumeSpan))
		})
		p.revised[key] = append(kept, s)
	} else {
		p.newest[key] = s
	}
	if told {
		p.told = append(p.told, s)
	}
}

// resume does what a crash may have cut short: it computes the scores of what
// was recorded last, from exactly what is recorded, and tells again of all that
// was sealed not too long ago.
func (f *Fleet) resume(ctx context.Context, p *past) error {
	for _, s := range p.recordedLast() {
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
	for _, s := range p.told {
		f.tell(ctx, s.window)
	}
	return ctx.Err()
}

// scoreAgain stores the scores of a recorded window, if they are not there. A
// labelled window holds its counts; those of one over rows are merged again.
func (f *Fleet) scoreAgain(ctx context.Context, s sealedWindow) error {
	if s.window.Revision > 0 {
		return f.storeRevision(ctx, s.window)
	}
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
func (p *past) recordedLast() []sealedWindow {
	var out []sealedWindow
	for _, s := range p.newest {
		if !s.window.SealedAt.Before(p.at.Add(-resumeSpan)) {
			out = append(out, s)
		}
	}
	for _, revisions := range p.revised {
		for _, s := range revisions {
			if !s.window.SealedAt.Before(p.at.Add(-resumeSpan)) {
				out = append(out, s)
			}
		}
	}
	return out
}
