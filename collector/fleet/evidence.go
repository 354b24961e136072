package fleet

import (
	"context"
	"maps"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// process names one anytime-valid drift process of a lane and a length.
type process struct {
	baseline signal.Digest
	target   signal.Target
	feature  signal.FeatureName
}

// laneLength is what drift processes belong to beside their column.
type laneLength struct {
	lane
	length time.Duration
}

// evidence is what the drift processes of a lane had seen after a window. The
// store has the say; what is held here saves reading it at every window.
type evidence struct {
	end  time.Time // of the window
	seen map[process]measure.DriftEvidence

	// sure: the store holds this and nothing else. Of the first window after a
	// start it may hold what an attempt before a crash has left.
	sure bool
}

// evidenceBefore gives what had been seen when the lane's last window was
// sealed: what is held, where that is sure, else what the store holds of the
// windows before this one, whatever an attempt at this one may have left.
func (f *Fleet) evidenceBefore(ctx context.Context, w *model.FleetWindow, last time.Time) (*evidence, error) {
	held := f.evidence[laneLength{lane{w.System, w.Model}, w.Length}]
	follows := held != nil && held.end.Equal(last)
	if follows && held.sure {
		return held, nil
	}
	found, err := f.options.Store.DriftProcesses(ctx, w.System, w.Model, w.Length, w.End)
	if err != nil {
		return nil, err
	}
	out := &evidence{end: last, seen: map[process]measure.DriftEvidence{}, sure: follows}
	for _, p := range found {
		out.seen[process{p.Baseline, p.Target, p.Feature}] = p.Evidence
	}
	return out, nil
}

// follow adds a sealed window to the drift processes of its columns: inputs,
// outputs and what texts are made of, each one of as many as the baseline has. What they
// have seen now goes into rows together with its scores, so that it is stored in
// the window's batch: a window is added once, also if it is sealed again after a
// crash. Windows come in order; late rows are in none. A column without rows
// leaves its process as it is.
func (f *Fleet) follow(ctx context.Context, w *model.FleetWindow, m *merged, out *scores) error {
	if w.Model.Name == "" {
		return nil
	}
	before, err := f.evidenceBefore(ctx, w, f.lastSealed(w))
	if err != nil {
		return err
	}
	after := &evidence{end: w.End, seen: maps.Clone(before.seen), sure: before.sure}
	for _, c := range m.ordered() {
		base, err := f.baseline(ctx, c.baseline)
		if err != nil {
			return err
		}
		feature := base.column(c.column)
		if feature == nil || !followed(c.target, c.feature) {
			continue
		}
		key := process{c.baseline, c.target, c.feature}
		seen, err := feature.Evidence(before.seen[key], c.sum)
		if err != nil {
			f.unscored("no evidence")
			continue
		}
		if seen.Windows == before.seen[key].Windows {
			continue
		}
		after.seen[key] = seen
		out.rows.DriftProcesses = append(out.rows.DriftProcesses, model.DriftProcess{
			System: w.System, Model: w.Model, Length: w.Length, WindowEnd: w.End,
			Baseline: c.baseline, Target: c.target, Feature: c.feature, Evidence: seen,
		})
		out.add(signal.Evidences(seen, c.sum, base.followed)...)
	}
	maps.DeleteFunc(f.evidence, func(_ laneLength, e *evidence) bool { return e.end.Before(w.End.Add(-f.options.remember(w.Length))) })
	f.evidence[laneLength{lane{w.System, w.Model}, w.Length}] = after
	return nil
}

// lastSealed is the end of the last window of the same lane and length that was
// sealed; zero where there is none.
func (f *Fleet) lastSealed(w *model.FleetWindow) time.Time {
	for _, t := range f.tracks {
		if !t.labelled && t.length == w.Length {
			return t.state(lane{w.System, w.Model}).sealedEnd
		}
	}
	return time.Time{}
}
