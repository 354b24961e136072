package fleet

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// addOutcomes adds what agents have counted of a slot's predictions themselves.
// Such predictions are in no table, so that none is counted twice. They mean what
// the predictions of the table mean; where those say nothing, what the newest of
// the agents' windows says. Counts that mean something else are counted as
// predictions and labels that cannot be judged.
func (f *Fleet) addOutcomes(ctx context.Context, s *slot, l lane, found *tally) error {
	var parts []*signal.Distribution
	var newest *signal.Distribution
	err := f.outcomes(ctx, l, s.start, s.end, func(d *signal.Distribution) {
		parts = append(parts, d)
		if d.Outcomes.Task != "" && (newest == nil || d.End.After(newest.End)) {
			newest = d
		}
	})
	if err != nil || len(parts) == 0 {
		return err
	}
	if found.cohort.Task == "" && newest != nil {
		fresh := *newest.Outcomes.Blank()
		fresh.AddUnjudged(&found.cohort.All)
		found.cohort = fresh
	}
	for _, d := range parts {
		found.instances[d.Window.Instance] = true
		if found.cohort.Merge(d.Outcomes) != nil {
			found.cohort.AddUnjudged(&d.Outcomes.All)
			f.unscored("other outcome")
		}
	}
	return nil
}

// outcomes gives the parts of TargetOutcomes of a lane whose windows ended in
// (from, to], a chunk at a time; one that came twice is given once.
func (f *Fleet) outcomes(ctx context.Context, l lane, from, to time.Time, yield func(*signal.Distribution)) error {
	for from.Before(to) {
		next := earlier(from.Add(f.options.Chunk), to)
		parts, err := f.options.Store.OutcomesBetween(ctx, l.System, l.Model, from, next)
		if err != nil {
			return err
		}
		seen := map[outcomesKey]bool{}
		for _, d := range parts {
			key := outcomesKey{d.Window, d.End.UnixNano()}
			if d.Outcomes != nil && !seen[key] {
				seen[key] = true
				yield(d)
			}
		}
		from = next
	}
	return nil
}

// outcomesKey names a part: the number of a window follows from its end and its
// length, which may have been set anew in between.
type outcomesKey struct {
	id  signal.WindowID
	end int64
}
