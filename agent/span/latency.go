package span

import (
	"math"
	"time"
)

// latency remembers how long a model's requests took, in cells that are a
// sixteenth of an octave wide. Old requests count less and less, so that a model
// that has become slow as a whole has no outliers any more.
type latency struct {
	cells     [cells]float64
	total     float64
	since     int           // requests since the limit was computed
	limit     time.Duration // what takes longer is an outlier
	limitedBy float64       // the quantile that limit is of
}

const (
	octave     = 16
	cells      = 40 * octave // up to 2^40 ns, 18 minutes
	minimum    = 100         // requests before any is called slow
	recompute  = 64          // requests between two computations of the limit
	forgetFrom = 1 << 14     // requests after which all counts are halved
)

func cellOf(d time.Duration) int {
	if d <= 1 {
		return 0
	}
	return min(cells-1, int(octave*math.Log2(float64(d))))
}

// add counts a request and says whether it took longer than the quantile of those
// before it.
func (l *latency) add(d time.Duration, quantile float64) (slow bool) {
	if l.since++; l.since >= recompute || l.limitedBy != quantile {
		l.limit, l.limitedBy, l.since = l.quantile(quantile), quantile, 0
	}
	slow = l.total >= minimum && quantile > 0 && d > l.limit
	l.cells[cellOf(d)]++
	if l.total++; l.total >= forgetFrom {
		l.total = 0
		for i := range l.cells {
			l.cells[i] /= 2
			l.total += l.cells[i]
		}
	}
	return slow
}

// quantile gives the upper end of the cell in which the quantile lies.
func (l *latency) quantile(q float64) time.Duration {
	below := 0.0
	for i, n := range l.cells {
		if below += n; below >= q*l.total {
			return time.Duration(math.Exp2(float64(i+1) / octave))
		}
	}
	return math.MaxInt64
}
