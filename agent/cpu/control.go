// Package cpu keeps the processor time of decoding and counting below a ceiling.
//
//	work between Begin and End -> Meter -> Control -> the share of the requests to profile
//
// Which requests that share is made of is the agent's matter.
package cpu

import "time"

// Control finds the share of the requests that may be profiled without using
// more CPU than the ceiling. It is pure: time and use are told to it.
//
// The share is a power of a half, so that windows come in few different rates.
// It falls at once, as far as the overload asks for, when more was used than the
// ceiling allows over about a second; it rises by at most two steps after a calm
// time, and only if the use that this makes likely stays well below the ceiling.
// A rise that was followed by a fall makes the next one wait longer.
type Control struct {
	share float64

	at   time.Time     // of the last step; zero: none yet
	used time.Duration // CPU up to it
	owed time.Duration // CPU beyond what was allowed; below zero: it may still be used
	mean float64       // CPU seconds a second, of late

	calm     time.Time     // when the share changed, or a rise was considered, last
	calmUsed time.Duration // CPU up to it
	hold     time.Duration // how long calm must last
	raised   time.Time     // when the share rose last
	lowered  time.Time
}

const (
	smallestShare = 1.0 / (1 << 14)
	creditFor     = time.Second            // time whose allowance may be used at once
	meanOver      = time.Second            // time over which the mean fades
	firstHold     = 5 * time.Second        // calm before a rise
	longestHold   = time.Minute            // likewise, where rises did not last
	pressPause    = 500 * time.Millisecond // between two falls because the queue fills
	comfort       = 0.8                    // share of the ceiling that a rise may lead to
	maxRise       = 4.0                    // factor of one rise
)

// Step takes the CPU time that was used so far, the ceiling in CPU seconds a
// second (0: none) and whether copies wait in a queue that is filling up, and
// gives the share to profile. The time must not go back.
func (c *Control) Step(now time.Time, used time.Duration, ceiling float64, filling bool) float64 {
	if ceiling <= 0 || c.at.IsZero() {
		if ceiling <= 0 || c.share == 0 {
			*c = Control{share: 1}
		}
		c.at, c.used, c.calm, c.calmUsed, c.hold = now, used, now, used, firstHold
		return c.share
	}
	elapsed := now.Sub(c.at)
	if elapsed <= 0 {
		return c.share
	}
	work := used - c.used
	c.at, c.used = now, used
	c.mean += (work.Seconds()/elapsed.Seconds() - c.mean) * elapsed.Seconds() / (elapsed + meanOver).Seconds()
	c.owed = max(c.owed+work-allowance(elapsed, ceiling), -allowance(creditFor, ceiling))
	switch {
	case c.owed > 0:
		c.lower(c.mean / ceiling)
		c.owed = -allowance(creditFor, ceiling) / 2
	case filling && now.Sub(c.lowered) >= pressPause:
		c.lower(1)
	case now.Sub(c.calm) >= c.hold:
		c.consider(ceiling)
	}
	return c.share
}

func allowance(of time.Duration, ceiling float64) time.Duration {
	return time.Duration(float64(of) * ceiling)
}

// lower halves the share, and more often where the load is more than twice what
// is allowed.
func (c *Control) lower(load float64) {
	factor := 0.5
	for load*factor > 1 {
		factor /= 2
	}
	factor = max(factor, smallestShare/c.share)
	c.share *= factor
	c.mean *= factor
	if !c.raised.IsZero() && c.at.Sub(c.raised) < 2*c.hold {
		c.hold = min(2*c.hold, longestHold)
	}
	c.raised, c.lowered = time.Time{}, c.at
	c.calm, c.calmUsed = c.at, c.used
}

// consider raises the share where there is room for it.
func (c *Control) consider(ceiling float64) {
	load := (c.used - c.calmUsed).Seconds() / c.at.Sub(c.calm).Seconds() / ceiling
	if !c.raised.IsZero() && c.at.Sub(c.raised) >= 2*c.hold { // the last rise has lasted
		c.hold, c.raised = max(c.hold/2, firstHold), time.Time{}
	}
	factor := 1.0
	for factor < maxRise && 2*factor*c.share <= 1 && 2*factor*load <= comfort {
		factor *= 2
	}
	if factor > 1 {
		c.share *= factor
		c.raised = c.at
	}
	c.calm, c.calmUsed = c.at, c.used
}
