package measure

import (
	"fmt"
	"math"
)

// How Page-Hinkley watches; all as river has them by default.
const (
	pageHinkleyShortest  = 30     // values before it may speak
	pageHinkleyDelta     = 0.005  // a distance from the mean that is allowed for
	pageHinkleyThreshold = 50     // lambda
	pageHinkleyMemory    = 0.9999 // what a sum keeps at every step
)

// PageHinkley tells that the mean of a stream has gone up or down, from the sum
// of the distances to the running mean: for a mark on a dashboard, not for a
// verdict. With d the distance of a value to the mean so far,
//
//	up <- 0.9999 up + d - 0.005,  down <- 0.9999 down + d + 0.005
//
// and a change is where up is more than 50 above its minimum, or down more than
// 50 below its maximum, from the 30th value on. After a change it starts anew.
// The threshold is in the unit of the stream: it is made for values that vary by
// about one.
//
// The zero value has seen nothing and is ready to use; it may be stored as JSON
// and continued. Page, Continuous Inspection Schemes (1954); the constants are
// river's, whose detections these equal.
type PageHinkley struct {
	N       uint64  `json:"n"`    // values since the last change
	Mean    float64 `json:"mean"` // of these
	Up      float64 `json:"up"`
	Down    float64 `json:"down"`
	Lowest  float64 `json:"lowest"`  // of Up
	Highest float64 `json:"highest"` // of Down
}

// Add takes the stream's next value and says whether the mean has changed.
// Undefined for NaN, infinities and numbers beyond MaxMagnitude, which are not
// added.
func (p *PageHinkley) Add(x float64) (changed bool, err error) {
	if !(math.Abs(x) <= MaxMagnitude) {
		return false, fmt.Errorf("page-hinkley: the value %v: %w", x, ErrUndefined)
	}
	p.N++
	p.Mean += (x - p.Mean) / float64(p.N)
	distance := x - p.Mean
	p.Up = float64(pageHinkleyMemory*p.Up) + distance - pageHinkleyDelta
	p.Down = float64(pageHinkleyMemory*p.Down) + distance + pageHinkleyDelta
	if p.N == 1 {
		p.Lowest, p.Highest = p.Up, p.Down
	}
	p.Lowest, p.Highest = min(p.Lowest, p.Up), max(p.Highest, p.Down)
	if p.N < pageHinkleyShortest || (p.Up-p.Lowest <= pageHinkleyThreshold && p.Highest-p.Down <= pageHinkleyThreshold) {
		return false, nil
	}
	*p = PageHinkley{}
	return true, nil
}
