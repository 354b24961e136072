package fleet

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/value"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
)

// revise looks for labels that came after their cohort was closed, and counts
// those cohorts again. What was judged stays as it is: a revision stands beside
// it, with scores that queries find in place of the earlier ones.
func (f *Fleet) revise(ctx context.Context) error {
	if f.options.Late <= 0 {
		return nil
	}
	var err error
	for _, t := range f.tracks {
		if !t.labelled {
			continue
		}
		failed := f.reviseTrack(ctx, t)
		if err = errors.Join(err, failed); mayPass(ctx, failed) {
			return err
		}
	}
	return err
}

// reviseTrack looks among the labels that were received since it looked last,
// once all of them are stored. A look that fails is made again as a whole, which
// changes nothing that it has done already.
func (f *Fleet) reviseTrack(ctx context.Context, t *track) error {
	if now := f.options.Now(); t.looking.IsZero() {
		if now.Sub(t.looked) < max(f.options.LateEvery, t.length/cohortChunks) {
			return nil
		}
		t.looking = now
	}
	if !f.options.Stored(t.looking) {
		return nil
	}
	var err error
	for l, state := range t.lanes {
		failed := f.reviseLane(ctx, t, l, state)
		if err = errors.Join(err, failed); mayPass(ctx, failed) {
			return err
		}
	}
	if err == nil {
		t.looked, t.looking = t.looking, time.Time{}
	}
	return err
}

// reviseLane revises the slots of a lane that labels have come for. After a
// restart it looks at everything since they were closed: what has been revised
// already comes out the same.
func (f *Fleet) reviseLane(ctx context.Context, t *track, l lane, state *laneState) error {
	var first, last time.Time
	for end := range state.closed {
		if end.Add(t.horizon + f.options.Late).Before(t.looked) {
			delete(state.closed, end)
			continue
		}
		if first.IsZero() || end.Before(first) {
			first = end
		}
		last = later(last, end)
	}
	if first.IsZero() {
		return nil
	}
	slots, err := f.options.Store.LateSlots(ctx, model.LateQuestion{
		System: l.System, Model: l.Model, Length: t.length, From: first.Add(-t.length), To: last,
		Since: later(t.looked, first.Add(t.horizon)), Until: t.looking,
	})
	if err != nil {
		return err
	}
	for _, end := range slots {
		if _, sealed := state.closed[end]; !sealed {
			continue
		}
		if err := f.reviseSlot(ctx, t, l, end); err != nil {
			return err
		}
	}
	return nil
}

// reviseSlot counts a closed cohort again, with the labels that have come since,
// and records it as the next revision, unless nothing is different. Where the
// store holds that revision already, by a try before a crash, the next one
// follows, until what is recorded is what was counted.
func (f *Fleet) reviseSlot(ctx context.Context, t *track, l lane, end time.Time) error {
	s := &slot{
		start: end.Add(-t.length), end: end, predicted: map[lane]bool{l: true},
		received: earlier(t.looking, end.Add(t.horizon+f.options.Late)),
	}
	found, err := f.countCohort(ctx, t, s, l)
	if err != nil {
		return err
	}
	w, err := f.cohortWindow(t, s, l, found)
	if err != nil {
		return err
	}
	digest, state := xxhash.Sum64String(w.Cohort), t.state(l)
	for state.closed[end].digest != digest {
		w.Revision = state.closed[end].revision + 1
		recorded, err := f.record(ctx, w)
		if err != nil {
			return err
		}
		faultpoint.Hit("fleet.revised")
		if err := f.storeRevision(ctx, recorded); err != nil {
			return err
		}
		t.remember(recorded)
		f.metrics.revised.Inc()
		f.options.Log.Info("labels came late and a labelled window was counted again", "system", l.System, "model", l.Model.String(),
			"end", end, "length", t.length, "revision", recorded.Revision, "predictions", recorded.Rows)
		f.tell(ctx, recorded)
	}
	return nil
}

// storeRevision scores a revision from its record. A series that the record
// before had and this one has not, since it is undefined now, is ended there: a
// reader would else take the old value for the new one's.
func (f *Fleet) storeRevision(ctx context.Context, w *model.FleetWindow) error {
	rows, err := f.score(ctx, w, nil)
	if err != nil {
		return err
	}
	before, err := f.before(ctx, w)
	if err != nil {
		return err
	}
	old, err := f.score(ctx, before, nil)
	if err != nil {
		return err
	}
	defined := map[uint64]bool{}
	for _, s := range rows.Samples {
		defined[s.Fingerprint] = true
	}
	for _, s := range old.Samples {
		if !defined[s.Fingerprint] {
			rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: s.Time, Value: math.Float64frombits(value.StaleNaN)})
		}
	}
	if rows.Empty() {
		return nil
	}
	err = f.write(ctx, batchOf(batchScores, w), rows)
	if errs.KindOf(err) == errs.Corrupt { // computed before a crash, under what was known then
		f.metrics.failed.Inc()
		f.options.Log.Error("the store holds other scores of this revision than were computed now; those stand", "error", err,
			"system", w.System, "model", w.Model.String(), "end", w.End, "revision", w.Revision)
		return nil
	}
	return err
}

// before gives the record that a revision takes the place of.
func (f *Fleet) before(ctx context.Context, w *model.FleetWindow) (*model.FleetWindow, error) {
	found, err := f.options.Store.FleetWindows(ctx, w.End.Add(-time.Nanosecond), w.End)
	if err != nil {
		return nil, err
	}
	wanted := *w
	wanted.Revision--
	for i := range found {
		if sameWindow(&found[i], &wanted) {
			return &found[i], nil
		}
	}
	return nil, errs.E("score a revised window", errs.Corrupt, errors.New("the record before it is not there"), "")
}
