package agent

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/agent/cpu"
	"github.com/evenkeel/evenkeel/agent/tap"
)

// ceiling keeps the CPU that profiling takes below sample.max_cpu, by choosing
// fewer requests before anything of them is copied.
type ceiling struct {
	cpu.Meter // of decoding and counting

	share  atomic.Uint64 // bits of the share of the requests that may be profiled
	seed   uint64        // of the numbers of requests without a name
	unsaid atomic.Uint64 // requests without a name so far
}

// steerEvery is how often the use is looked at, restEvery how often where there is
// no ceiling: whether there is one by now.
const (
	steerEvery = 100 * time.Millisecond
	restEvery  = time.Second
)

// newCeiling makes one that nothing has reached yet.
func newCeiling() *ceiling {
	c := &ceiling{seed: rand.Uint64()}
	c.share.Store(math.Float64bits(1))
	return c
}

// current gives the share in force.
func (c *ceiling) current() float64 { return math.Float64frombits(c.share.Load()) }

// draw numbers a request by its name, else at random.
func (c *ceiling) draw(id string, share float64) tap.Choice {
	if id != "" {
		return tap.Choice{Made: true, Share: share, Draw: numberOf(id), ByID: true}
	}
	return tap.Choice{Made: true, Share: share, Draw: scattered(c.seed, c.unsaid.Add(1))}
}

// scattered gives the nth of a seed's numbers, which look random whatever period
// the traffic has: the output function of SplitMix64 (Steele and others, 2014).
func scattered(seed, n uint64) uint64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// choose says whether a request is copied: what will be left out later need not
// be. It is called from many goroutines.
func (a *Agent) choose(r *http.Request, model, id string) tap.Choice {
	p := a.plan()
	rate := 1.0 // of a gRPC call nobody knows it yet
	if s := p.byName[model]; s != nil {
		rate = s.sampler.widest()
	}
	if rate >= 1 && p.c.Sample.MaxCPU == 0 {
		return tap.Choice{}
	}
	if rate < 1 && p.decoder.Generates(r.URL.Path) {
		rate = 1 // the texts of all requests are looked at
	}
	c := a.ceiling.draw(id, a.ceiling.current())
	switch {
	case c.ByID && !below(c.Draw, rate):
		c.Out = tap.LeftOut
	case !within(&c, rate, c.Share):
		c.Out = tap.OverCeiling
	}
	return c
}

// admit says whether an exchange is read, and sees to it that the model's windows
// count at the share at which it was chosen: a window has one rate. An exchange
// that was chosen at a higher share than the windows' is chosen again; one that
// was chosen at a lower share closes them. The caller holds counting.
func (a *Agent) admit(p *plan, model *served, x *tap.Exchange) (tap.Choice, bool) {
	c, share := x.Choice, a.ceiling.current()
	if !c.Made {
		c = a.ceiling.draw(x.ID, share)
	}
	s := model.sampler
	target := min(c.Share, share)
	if target == 1 && s.share == 1 {
		return c, true
	}
	if s.settle(target, time.Now()) {
		model.windows.SetRate(s.rate * s.share)
	}
	rate := s.widest()
	if rate < 1 && p.decoder.Generates(x.Path) {
		rate = 1
	}
	if within(&c, rate, s.share) {
		return c, true
	}
	s.over.Add(1)
	return c, false
}

// steer follows what profiling uses, until ctx is done.
func (a *Agent) steer(ctx context.Context) {
	var c cpu.Control
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		limit := a.plan().c.Sample.MaxCPU
		stats := a.tap.Stats()
		share := c.Step(time.Now(), a.ceiling.Used(), limit, stats.Held > stats.Bound/2)
		a.ceiling.share.Store(math.Float64bits(share))
		if limit > 0 {
			timer.Reset(steerEvery)
		} else {
			timer.Reset(restEvery)
		}
	}
}
