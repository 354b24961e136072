package fleet

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// closeSlot seals the labelled windows of the track's next slot, once nobody is
// waited for: the horizon has passed, then the grace, for predictions that are
// still on their way, and everything that had come by then is in the store. It
// says whether it did.
func (f *Fleet) closeSlot(ctx context.Context, t *track, now time.Time) (bool, error) {
	s := &slot{start: t.next.Add(-t.length), end: t.next, predicted: map[lane]bool{}}
	if !f.graceOver(s.end.Add(t.horizon), now) {
		return false, nil
	}
	lanes, err := f.predicted(ctx, t, s.start, s.end)
	if err != nil {
		return false, err
	}
	for _, l := range lanes {
		s.predicted[l] = true
	}
	for _, l := range f.lanesOf(t, s) {
		if !t.state(l).sealedEnd.Before(s.end) {
			continue
		}
		failed := f.closeLane(ctx, t, s, l)
		if err = errors.Join(err, failed); mayPass(ctx, failed) {
			return false, err
		}
	}
	return err == nil, err
}

// predicted gives the lanes that made predictions in (from, to], of the systems
// that use this track.
func (f *Fleet) predicted(ctx context.Context, t *track, from, to time.Time) ([]lane, error) {
	found, err := f.options.Store.PredictedLanes(ctx, from, to)
	if err != nil {
		return nil, err
	}
	var out []lane
	for _, p := range found {
		if f.wants(t, p.System) {
			out = append(out, lane{p.System, p.Model})
		}
	}
	return out, nil
}

// closeLane counts how the predictions of a lane turned out and seals that.
// The record holds the counts themselves: labels have no names by which they
// could be counted again.
func (f *Fleet) closeLane(ctx context.Context, t *track, s *slot, l lane) error {
	found := &tally{}
	if s.live(l) {
		var err error
		if found, err = f.countCohort(ctx, t, s, l); err != nil {
			return err
		}
	}
	w, err := f.cohortWindow(t, s, l, found)
	if err != nil {
		return err
	}
	if err := f.seal(ctx, t, w, nil); err != nil {
		return err
	}
	if found.newest != "" {
		t.state(l).outcome = found.newest
	}
	return nil
}

// cohortWindow is the record of what was counted.
func (f *Fleet) cohortWindow(t *track, s *slot, l lane, found *tally) (*model.FleetWindow, error) {
	content, err := canonical.JSON(&found.cohort)
	if err != nil {
		return nil, errs.E("record a labelled window", errs.Invalid, err, "")
	}
	w := &model.FleetWindow{
		System: l.System, Model: l.Model, Length: t.length, Start: s.start, End: s.end,
		Rows: found.cohort.All.Predictions, Cohort: string(content), SealedAt: f.options.Now().UTC(),
	}
	for _, i := range slices.Sorted(maps.Keys(found.instances)) {
		w.Instances = append(w.Instances, string(i))
	}
	return w, nil
}
