package baseline

import (
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Run writes the gauges at multiples of Every until ctx ends, and then returns
// nil. A time at which the store is away is left out.
func (r *Registry) Run(ctx context.Context) error {
	g := gauges{r: r, inUse: map[lane]model.BaselineUse{}}
	for {
		now := r.o.Clock()
		next := now.Truncate(r.o.Every).Add(r.o.Every)
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := g.write(ctx, next); err != nil && ctx.Err() == nil {
			r.o.Log.Warn("the age of baselines was not written", "at", next, "error", err)
		}
	}
}

// Write writes the gauges of one time, as Run does.
func (r *Registry) Write(ctx context.Context, at time.Time) error {
	g := gauges{r: r, inUse: map[lane]model.BaselineUse{}}
	return g.write(ctx, at)
}

// lane is a model version of a system.
type lane struct {
	system signal.SystemID
	model  signal.ModelRef
}

// gauges remembers which baselines are in use, so that each window is asked for
// once.
type gauges struct {
	r     *Registry
	asked time.Time // windows that ended until then have been
	inUse map[lane]model.BaselineUse
}

// overlap is how far back windows are asked for again: they come late.
const overlap = time.Hour

func (g *gauges) write(ctx context.Context, at time.Time) error {
	oldest := at.Add(-g.r.o.Remember)
	from := oldest
	if !g.asked.IsZero() {
		from = g.asked.Add(-overlap)
	}
	found, err := g.r.o.Store.BaselinesInUse(ctx, from, at)
	if err != nil {
		return err
	}
	g.asked = at
	for _, u := range found {
		l := lane{u.System, u.Model}
		if known, there := g.inUse[l]; !there || !known.LastSeen.After(u.LastSeen) {
			g.inUse[l] = u
		}
	}
	page := model.NewGauges(at)
	for l, u := range g.inUse {
		if u.LastSeen.Before(oldest) {
			delete(g.inUse, l)
			continue
		}
		g.add(page, u, at)
	}
	if page.Rows().Empty() {
		return nil
	}
	batch := model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("baseline gauges\x00%d", at.UnixNano())))
	err = g.r.o.Store.Write(ctx, batch, page.Rows(), model.InDoubt)
	if errs.KindOf(err) == errs.Corrupt { // written before a restart, of other model versions
		return nil
	}
	return err
}

// add gives whether a baseline is approved and, where it is, since how long.
func (g *gauges) add(page *model.Gauges, u model.BaselineUse, at time.Time) {
	one := func(name, unit string, value float64) {
		page.Add(name, unit, u.System, u.Model, map[string]string{signal.KeyBaselineID: u.Digest.Short(), signal.KeyScope: signal.ScopeFleet}, value)
	}
	d := g.r.o.Register.BaselineDecision(u.Digest, u.System, u.Model.Name)
	if d == nil || d.State != model.BaselineApproved {
		one(signal.MetricBaselineApproved, "1", 0)
		return
	}
	one(signal.MetricBaselineApproved, "1", 1)
	one(signal.MetricBaselineAge, "s", max(0, at.Sub(d.At).Seconds()))
}
