package fleet

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// tally is what was counted of a lane's predictions in one slot.
type tally struct {
	cohort    signal.Cohort
	instances map[signal.InstanceID]bool // that made them
	newest    signal.Digest              // baseline, of those that say what a prediction means; empty: none does
}

// countCohort counts how a slot's predictions turned out, under the newest
// baseline among them that says what they mean. Which that is is known only at
// the end: it begins with that of the slot before, and where another one is found
// counts once more under it. Without any, predictions and labels are counted and
// not judged.
func (f *Fleet) countCohort(ctx context.Context, t *track, s *slot, l lane) (*tally, error) {
	under := t.state(l).outcome
	for {
		found, err := f.countUnder(ctx, t, s, l, under)
		if err != nil {
			return nil, err
		}
		if found.newest == under {
			return found, f.addOutcomes(ctx, s, l, found)
		}
		under = found.newest
	}
}

// countUnder counts a slot's predictions, and their labels that had come when
// they were due, under one baseline; the empty one judges nothing. They come as
// a stream ordered by time.
func (f *Fleet) countUnder(ctx context.Context, t *track, s *slot, l lane, under signal.Digest) (*tally, error) {
	base, err := f.baseline(ctx, under)
	if err != nil {
		return nil, err
	}
	out := &tally{instances: map[signal.InstanceID]bool{}}
	if base != nil {
		cohort, err := signal.NewCohort(base.Baseline, under)
		if err != nil {
			return nil, err
		}
		out.cohort = *cohort
	}
	meant := map[signal.Digest]bool{}
	err = f.inChunks(ctx, l, s.start, s.end, s.labelsUntil(t), func(p *signal.LabelledPrediction) error {
		out.instances[p.Instance] = true
		means, known := meant[p.Baseline]
		if !known {
			r, err := f.baseline(ctx, p.Baseline)
			if err != nil {
				return err
			}
			means = r != nil && r.meant
			meant[p.Baseline] = means
		}
		if means {
			out.newest = p.Baseline
		}
		if base != nil {
			out.cohort.Add(base.Baseline, p)
			return nil
		}
		out.cohort.All.Predictions++
		if p.Label != nil {
			out.cohort.All.Labelled++
		}
		return nil
	})
	return out, err
}

// labelsUntil is when the last label was received that counts.
func (s *slot) labelsUntil(t *track) time.Time {
	if s.received.IsZero() {
		return s.end.Add(t.horizon)
	}
	return s.received
}

// cohortChunks is in how many pieces a long slot is read at most: each piece
// looks for its labels among all that came since, so that many small ones would
// read them again and again.
const cohortChunks = 24

// inChunks gives the predictions of a lane made in (from, to], with the labels
// received by a time, as the store does, a chunk at a time. A slot of a month has
// very many: in between, the windows over rows that have become due are sealed.
func (f *Fleet) inChunks(ctx context.Context, l lane, from, to, received time.Time, yield func(*signal.LabelledPrediction) error) error {
	chunk := max(f.options.Chunk, to.Sub(from)/cohortChunks)
	for {
		next := earlier(from.Add(chunk), to)
		if err := f.options.Store.LabelledPredictions(ctx, l.System, l.Model, from, next, received, yield); err != nil {
			return err
		}
		if from = next; !from.Before(to) {
			return nil
		}
		if _, err := f.sealDue(ctx, false); mayPass(ctx, err) { // what is of one window, Step tells
			return err
		}
	}
}

// countLateLabels looks once at each slot, when LateHorizon has passed since it
// was sealed, and counts what has come for it since: labels after its horizon,
// and predictions. It is called when the track's next slot is sealed.
func (f *Fleet) countLateLabels(ctx context.Context, t *track) error {
	slots := max(1, (f.options.LateHorizon+t.length-1)/t.length)
	end := t.next.Add(-slots * t.length)
	for l, state := range t.lanes {
		if counted, sealed := state.counted[end]; sealed {
			if err := f.countLateOf(ctx, t, l, end, counted); err != nil {
				return err
			}
		}
		for looked := range state.counted {
			if !looked.After(end) {
				delete(state.counted, looked)
			}
		}
	}
	return nil
}

// countLateOf counts what has come late for one labelled window, which had so
// many predictions.
func (f *Fleet) countLateOf(ctx context.Context, t *track, l lane, end time.Time, counted uint64) error {
	var predictions, labels uint64
	due := end.Add(t.horizon)
	err := f.inChunks(ctx, l, end.Add(-t.length), end, f.options.Now(), func(p *signal.LabelledPrediction) error {
		predictions++
		if p.Label != nil && p.Label.Received.After(due) {
			labels++
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = f.outcomes(ctx, l, end.Add(-t.length), end, func(d *signal.Distribution) { predictions += d.N })
	if err != nil {
		return err
	}
	late := predictions - min(predictions, counted)
	if late+labels == 0 {
		return nil
	}
	f.metrics.lateLabels.Add(float64(labels))
	f.metrics.latePredictions.Add(float64(late))
	f.options.Log.Warn("predictions or labels came after their window was sealed; they are not added", "system", l.System,
		"model", l.Model.String(), "end", end, "length", t.length, "predictions", late, "labels", labels)
	return nil
}
