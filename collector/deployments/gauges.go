package deployments

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
		if err := r.Write(ctx, next); err != nil && ctx.Err() == nil {
			r.o.Log.Warn("what is in service was not held against what is approved", "at", next, "error", err)
		}
	}
}

// Write writes the gauges of one time, as Run does.
func (r *Registry) Write(ctx context.Context, at time.Time) error {
	parts, err := r.o.Store.PartsInUse(ctx, at.Add(-r.o.Service), at)
	if err != nil {
		return err
	}
	changes, err := r.o.Store.ChangesTold(ctx, at.Add(-r.o.Changes), at)
	if err != nil {
		return err
	}
	p := model.NewGauges(at)
	approved := r.approvals()
	for i := range parts {
		u := &parts[i]
		n := float64(u.Requests)
		if approved.has(u.System, u.Model.Name, u.Part, u.Value) {
			n = 0
		}
		if u.Part != signal.PartRun.String() {
			p.Add(signal.MetricLineageUnapproved, "{request}", u.System, u.Model, map[string]string{signal.KeyLineagePart: u.Part}, n)
		}
	}
	for i := range changes {
		c := &changes[i]
		n := float64(c.Times)
		if c.New == "" || r.mayChange(approved, c) {
			n = 0
		}
		p.Add(signal.MetricChangeUnapproved, "{change}", c.System, signal.ModelRef{Name: c.Model}, map[string]string{signal.KeyChangeOf: c.Of}, n)
	}
	if p.Rows().Empty() {
		return nil
	}
	batch := model.DerivedBatch(xxhash.Sum64String(fmt.Sprintf("deployment gauges\x00%d", at.UnixNano())))
	err = r.o.Store.Write(ctx, batch, p.Rows(), model.InDoubt)
	if errs.KindOf(err) == errs.Corrupt { // written before a restart, of other windows
		return nil
	}
	return err
}

// mayChange says that somebody approved what is served now: a baseline as a
// reference, all else as a deployment.
func (r *Registry) mayChange(approved approvals, c *model.ChangeTold) bool {
	if c.Of == string(signal.ChangeBaseline) {
		d := r.o.Register.BaselineDecision(signal.Digest(c.New), c.System, c.Model)
		return d != nil && d.State == model.BaselineApproved
	}
	return approved.has(c.System, c.Model, c.Of, c.New)
}
