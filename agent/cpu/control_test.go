package cpu

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// plant is what a control steers: work that takes a given CPU at a share of 1.
type plant struct {
	Control
	now  time.Time
	used time.Duration
}

func newPlant() *plant {
	p := &plant{now: time.Unix(1_700_000_000, 0)}
	p.run(nil, 0, 1, 1)
	return p
}

// run lets time pass, with a look at every step; the work of a full share is load
// cores. It gives how often the share changed.
func (p *plant) run(look func(share float64), load, ceiling float64, steps int) (changes int) {
	for range steps {
		before := p.share
		p.now = p.now.Add(every)
		p.used += time.Duration(float64(every) * load * before)
		if p.Step(p.now, p.used, ceiling, false) != before {
			changes++
		}
		if look != nil {
			look(p.share)
		}
	}
	return changes
}

// every is how often a plant is looked at, as the agent does.
const every = 100 * time.Millisecond

const anHour = int(time.Hour / every)

// Under any steady load the share settles where it uses less than the ceiling, and
// so much that twice as much would come too near to it, from wherever it began.
func TestShareSettlesBelowTheCeiling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ceiling := rapid.Float64Range(0.01, 4).Draw(t, "ceiling")
		p := newPlant()
		p.run(nil, rapid.Float64Range(0, 50).Draw(t, "load before")*ceiling, ceiling, rapid.IntRange(0, 2000).Draw(t, "steps before"))
		load := rapid.Float64Range(0, 1000).Draw(t, "load") * ceiling
		p.run(nil, load, ceiling, anHour)
		settled := p.share
		if n := p.run(nil, load, ceiling, anHour); n > 0 {
			t.Fatalf("the share changed %d times within an hour, last to %v", n, p.share)
		}
		if use := load * settled; use > ceiling*1.001 {
			t.Errorf("%v cores are used of %v", use, ceiling)
		}
		if use := load * settled; settled < 1 && 2*use <= comfort*ceiling*0.999 {
			t.Errorf("at a share of %v %v cores are used of %v: there is room for twice as much", settled, use, ceiling)
		}
	})
}

// The share is a power of a half and never above 1, so that no rate is above the
// declared one, whatever the load does.
func TestShareIsNeverAboveOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ceiling := rapid.Float64Range(0.01, 4).Draw(t, "ceiling")
		p := newPlant()
		look := func(share float64) {
			fraction, _ := math.Frexp(share)
			if share > 1 || share < smallestShare || fraction != 0.5 {
				t.Fatalf("a share of %v", share)
			}
		}
		for _, load := range rapid.SliceOfN(rapid.Float64Range(0, 1e6), 1, 20).Draw(t, "loads") {
			p.run(look, load*ceiling, ceiling, 300)
		}
	})
}

// An overload is answered within about a second, and over any longer time the
// ceiling is kept but for the credit of the beginning.
func TestOverloadIsAnsweredWithinSeconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ceiling := rapid.Float64Range(0.05, 1).Draw(t, "ceiling")
		p := newPlant()
		p.run(nil, 0, ceiling, 100)
		load := rapid.Float64Range(1.1, 50).Draw(t, "load") * ceiling
		p.run(nil, load, ceiling, 200) // 20 s: the smallest overload takes long to use up its credit
		before, from := p.used, p.now
		p.run(nil, load, ceiling, 300)
		if mean := (p.used - before).Seconds() / p.now.Sub(from).Seconds(); mean > 1.05*ceiling {
			t.Errorf("%v cores are used of %v", mean, ceiling)
		}
	})
}

// When the load has gone, the share comes back to 1 within minutes.
func TestShareRecovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ceiling := rapid.Float64Range(0.01, 4).Draw(t, "ceiling")
		p := newPlant()
		p.run(nil, rapid.Float64Range(2, 1e6).Draw(t, "load")*ceiling, ceiling, 600)
		if p.share == 1 {
			t.Fatal("the load did not matter")
		}
		p.run(nil, rapid.Float64Range(0, comfort).Draw(t, "load after")*ceiling*0.99, ceiling, int(2*time.Minute/every))
		if p.share != 1 {
			t.Errorf("two minutes after the load has gone the share is %v", p.share)
		}
	})
}

// A queue that fills lowers the share though little CPU is used: what would be
// dropped, and not at random, is sampled out.
func TestFillingQueueLowersTheShare(t *testing.T) {
	p := newPlant()
	for range 20 {
		p.now = p.now.Add(every)
		p.Step(p.now, p.used, 1, true)
	}
	if p.share > 0.25 {
		t.Errorf("the queue was filling for two seconds, and the share is %v", p.share)
	}
}

// Without a ceiling every request is profiled, and taking it away brings them back
// at once.
func TestNoCeilingNoSampling(t *testing.T) {
	p := newPlant()
	p.run(nil, 100, 0.1, 100)
	if p.share == 1 {
		t.Fatal("the load did not matter")
	}
	if p.run(nil, 100, 0, 1); p.share != 1 {
		t.Errorf("without a ceiling the share is %v", p.share)
	}
	if p.run(nil, 100, 0, 100); p.share != 1 {
		t.Errorf("without a ceiling the share is %v", p.share)
	}
}

// Load that comes and goes makes rises rarer, since each closes windows.
func TestRisesThatDoNotLastBecomeRare(t *testing.T) {
	p := newPlant()
	changes := func() (n int) {
		for range 30 { // ten minutes: 10 s of load, 10 s of quiet
			n += p.run(nil, 4, 0.1, 100)
			n += p.run(nil, 0.1, 0.1, 100)
		}
		return n
	}
	changes()
	if n := changes(); n >= 30 {
		t.Errorf("the share changed %d times in ten minutes with 30 turns of the load", n)
	}
}
