package measure

import (
	"fmt"
	"math"
)

// How ADWIN looks at its window; all as river has them by default.
const (
	adwinConfidence = 0.002 // delta: the rate of false alarms over the window, as the paper bounds it
	adwinClock      = 32    // values between two looks
	adwinBuckets    = 5     // buckets of one size, before the two oldest become one of twice the size
	adwinShortest   = 5     // values that either side of a cut has at least
	adwinGrace      = 10    // values up to which nobody looks
)

// ADWIN tells where the mean of a stream has changed, by keeping a window that
// reaches back to the last change: for a mark on a dashboard, not for a verdict.
// It looks at every 32nd value, and says that the mean has changed where a cut
// of the window leaves two parts of n0 and n1 values whose means differ by more
// than
//
//	sqrt(2 v l / m) + 2 l / (3 m),   l = ln(2 ln(n) / 0.002)
//
// with v the variance of all n values and 1/m = 1/(n0-4) + 1/(n1-4). After a
// change it starts anew. Cuts are tried between buckets of 1, 2, 4, ... values,
// at most five of a size, so that a window of n values takes O(log n) numbers.
//
// The zero value has seen nothing and is ready to use; it may be stored as JSON
// and continued. Bifet and Gavalda, Learning from Time-Changing Data with
// Adaptive Windowing (2007); the -4 and the constants are river's, whose
// detections these equal.
type ADWIN struct {
	N      uint64  `json:"n"`      // values since the last change
	Sum    float64 `json:"sum"`    // of these
	Spread float64 `json:"spread"` // sum of their squared distances to their mean
	// Buckets holds sums of 2^i values each at index i, the oldest first; the
	// values of a higher index are older.
	Buckets [][]float64 `json:"buckets,omitempty"`
}

// Add takes the stream's next value and says whether the mean has changed.
// Undefined for NaN, infinities and numbers beyond MaxMagnitude, which are not
// added.
func (a *ADWIN) Add(x float64) (changed bool, err error) {
	if !(math.Abs(x) <= MaxMagnitude) {
		return false, fmt.Errorf("adwin: the value %v: %w", x, ErrUndefined)
	}
	if a.N > 0 {
		n := float64(a.N)
		distance := x - a.Sum/n
		a.Spread += n * distance * distance / (n + 1)
	}
	a.N++
	a.Sum += x
	a.insert(x)
	if a.N%adwinClock != 0 || a.N <= adwinGrace || !a.cut() {
		return false, nil
	}
	*a = ADWIN{Buckets: a.emptied()}
	return true, nil
}

// Mean is the mean since the last change. Undefined before the first value.
func (a *ADWIN) Mean() (float64, error) {
	if a.N == 0 {
		return 0, fmt.Errorf("adwin: no values since the last change: %w", ErrUndefined)
	}
	return a.Sum / float64(a.N), nil
}

// insert puts a value into the smallest buckets and merges where there are too
// many of a size.
func (a *ADWIN) insert(sum float64) {
	for i := 0; ; i++ {
		if i == len(a.Buckets) {
			a.Buckets = append(a.Buckets, make([]float64, 0, adwinBuckets+1))
		}
		level := append(a.Buckets[i], sum)
		if len(level) <= adwinBuckets {
			a.Buckets[i] = level
			return
		}
		sum = level[0] + level[1]
		a.Buckets[i] = append(level[:0], level[2:]...)
	}
}

// cut says whether some cut, from the oldest values on, leaves two means too
// far apart.
func (a *ADWIN) cut() bool {
	n := float64(a.N)
	log := math.Log(2 * math.Log(n) / adwinConfidence)
	variance := a.Spread / n
	older, olderSum := 0.0, 0.0
	for i := len(a.Buckets) - 1; i >= 0; i-- {
		for _, s := range a.Buckets[i] {
			older += float64(uint64(1) << i)
			olderSum += s
			newer := n - older
			if older < adwinShortest || newer < adwinShortest {
				continue
			}
			m := 1/(older-adwinShortest+1) + 1/(newer-adwinShortest+1)
			bound := math.Sqrt(2*m*variance*log) + float64(2.0/3*log*m)
			if math.Abs(olderSum/older-(a.Sum-olderSum)/newer) > bound {
				return true
			}
		}
	}
	return false
}

// emptied keeps the memory of the buckets for the next window.
func (a *ADWIN) emptied() [][]float64 {
	for i := range a.Buckets {
		a.Buckets[i] = a.Buckets[i][:0]
	}
	return a.Buckets
}
