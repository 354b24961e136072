package fleet

import (
	"context"
	"time"
)

// countLate looks at slots that were sealed before the present one and counts
// complete windows that are in none of them, each once.
func (f *Fleet) countLate(ctx context.Context, t *track) error {
	if t.labelled {
		return f.countLateLabels(ctx, t)
	}
	to := t.next.Add(-t.length)
	from := to.Add(-f.lateSpan(t))
	if from.Before(t.begin) {
		from = t.begin
	}
	for _, state := range t.lanes {
		state.forget(from)
		state.forgetReplicas(to.Add(-f.options.remember(t.length)))
	}
	if !from.Before(to) {
		return nil
	}
	parts, err := f.read(ctx, t, from, to)
	if err != nil {
		return err
	}
	for l, windows := range assemble(parts) {
		state := t.state(l)
		for _, w := range windows {
			_, taken := state.taken[w.id]
			_, reported := state.reported[w.id]
			if taken || reported || !w.complete() {
				continue
			}
			state.reported[w.id] = w.end
			f.metrics.late.Inc()
			f.options.Log.Warn("window came after its slot was sealed; it is not added", "system", l.System,
				"model", l.Model.String(), "window", w.id.String(), "end", w.end, "length", t.length)
		}
	}
	return nil
}

// lateSpan is how far back a track looks for windows that came late.
func (f *Fleet) lateSpan(t *track) time.Duration {
	return min(max(f.options.LateHorizon, t.length), 24*time.Hour)
}
