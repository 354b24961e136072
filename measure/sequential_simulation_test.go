package measure_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/measure"
)

// streams is how many streams a simulation takes: few in go test, 10,000 with
// EVENKEEL_LONG=1 (make long).
func streams(short int) int {
	if os.Getenv("EVENKEEL_LONG") == "1" {
		return 10_000
	}
	return short
}

// driftAlpha is the share of streams that may ever raise a false alarm.
const driftAlpha = 0.05

// multinomial counts n independent rows over the shares.
func multinomial(random *rand.Rand, shares []float64, n int) []uint64 {
	counts := make([]uint64, len(shares))
	for range n {
		u, cell := random.Float64(), 0
		for ; cell < len(shares)-1 && u >= shares[cell]; cell++ {
			u -= shares[cell]
		}
		counts[cell]++
	}
	return counts
}

// firstAlarm gives the window, from 1 on, that raises the alarm; 0 for none.
func firstAlarm(t *testing.T, p *measure.DriftProcess, windows int, window func(w int) []uint64) int {
	t.Helper()
	var e measure.DriftEvidence
	for w := 1; w <= windows; w++ {
		e = nextWindow(t, p, e, window(w))
		alarm, err := e.Alarm(driftAlpha, 1)
		if err != nil {
			t.Fatal(err)
		}
		if alarm {
			return w
		}
	}
	return 0
}

func uniformShares() []float64 { return slices.Repeat([]float64{0.1}, 10) }

// rareShares have nine cells that most windows hardly see.
func rareShares() []float64 { return append([]float64{0.964}, slices.Repeat([]float64{0.004}, 9)...) }

// Nothing has changed: baseline and windows are independent rows from the same
// shares. A plain Bayes factor alarms here in up to 46% of the streams.
func TestNoAlarmWithoutDrift(t *testing.T) {
	o := measure.DefaultDriftOptions()
	o.Tolerance = 0 // nothing but the baseline's own uncertainty is allowed for
	for name, shares := range map[string][]float64{"uniform": uniformShares(), "rare": rareShares()} {
		for _, size := range []struct{ baseline, window int }{
			{32, 1000},
			{50, 1000},
			{1000, 1000},
			{10_000, 32},
			{10_000, 50},
			{10_000, 1000},
		} {
			t.Run(fmt.Sprintf("%s/%d/%d", name, size.baseline, size.window), func(t *testing.T) {
				alarms, n := 0, streams(60)
				for seed := range n {
					random := rand.New(rand.NewPCG(uint64(seed), 1))
					p := driftProcess(t, multinomial(random, shares, size.baseline), o)
					if firstAlarm(t, p, 50, func(int) []uint64 { return multinomial(random, shares, size.window) }) > 0 {
						alarms++
					}
				}
				t.Logf("%d alarms in %d streams of 50 windows", alarms, n)
				if alarms*1000 > n { // one in 10,000 has been seen, where 500 are promised
					t.Errorf("%d of %d streams raised a false alarm, want hardly any", alarms, n)
				}
			})
		}
	}
}

// A shift that stays just inside the tolerance is no drift, however long it
// lasts and however many rows show it.
func TestNoAlarmInsideTheTolerance(t *testing.T) {
	o := measure.DefaultDriftOptions()
	for name, shares := range map[string][]float64{"uniform": uniformShares(), "rare": rareShares()} {
		t.Run(name, func(t *testing.T) {
			reference := make([]uint64, len(shares))
			for i, s := range shares {
				reference[i] = uint64(math.Round(s * 1e6)) // exact: the whole tolerance is the shift's
			}
			shifted := shiftTo(shares, 0.99*o.Tolerance)
			p := driftProcess(t, reference, o)
			if p.Radius() != o.Tolerance {
				t.Fatalf("radius %v", p.Radius())
			}
			alarms, n := 0, streams(60)
			for seed := range n {
				random := rand.New(rand.NewPCG(uint64(seed), 2))
				if firstAlarm(t, p, 50, func(int) []uint64 { return multinomial(random, shifted, 1000) }) > 0 {
					alarms++
				}
			}
			t.Logf("%d alarms in %d streams of 50 windows", alarms, n)
			if alarms*1000 > n {
				t.Errorf("%d of %d streams raised a false alarm, want hardly any", alarms, n)
			}
		})
	}
}

// shiftTo moves mass from the first cell to the last until KL(shares || p) is
// the given one.
func shiftTo(shares []float64, divergence float64) []float64 {
	last := len(shares) - 1
	shifted := func(mass float64) []float64 {
		p := slices.Clone(shares)
		p[0], p[last] = p[0]-mass, p[last]+mass
		return p
	}
	low, high := 0.0, shares[0]*0.999
	for range 60 {
		mass := (low + high) / 2
		p, kl := shifted(mass), 0.0
		for i, r := range shares {
			kl += r * math.Log(r/p[i])
		}
		if kl > divergence {
			high = mass
		} else {
			low = mass
		}
	}
	return shifted(low)
}

// autoregressive gives standard normal values, each correlated with the one before.
func autoregressive(random *rand.Rand, correlation float64) func() float64 {
	x, noise := random.NormFloat64(), math.Sqrt(1-correlation*correlation)
	return func() float64 {
		x = correlation*x + noise*random.NormFloat64()
		return x
	}
}

func drawn(n int, value func() float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = value()
	}
	return out
}

// baselineOf bins 10,000 values in their own deciles and finds phi from ten
// windows of 1,000 each.
func baselineOf(t *testing.T, value func() float64) (grid measure.Grid, counts []uint64, phi float64) {
	t.Helper()
	values := drawn(10_000, value)
	grid = plainDeciles(sortedCopy(values))
	var windows [][]uint64
	for part := range slices.Chunk(values, 1000) {
		windows = append(windows, count(grid, part))
	}
	phi, err := measure.Deflation(windows)
	if err != nil {
		t.Fatal(err)
	}
	return grid, count(grid, values), phi
}

func sortedCopy(values []float64) []float64 { return slices.Sorted(slices.Values(values)) }

// Rows that depend on each other, with the heuristic that the design has for
// them; without it nearly every stream at 0.9 and above raises an alarm.
func TestAutocorrelationWithDeflation(t *testing.T) {
	for _, correlation := range []float64{0.5, 0.9, 0.95, 0.98} {
		t.Run(fmt.Sprint(correlation), func(t *testing.T) {
			alarms, n := 0, streams(200)
			for seed := range n {
				value := autoregressive(rand.New(rand.NewPCG(uint64(seed), 3)), correlation)
				grid, reference, phi := baselineOf(t, value)
				p := driftProcess(t, reference, measure.DriftOptions{Miss: 0.001, Deflation: phi})
				if firstAlarm(t, p, 50, func(int) []uint64 { return count(grid, drawn(1000, value)) }) > 0 {
					alarms++
				}
			}
			t.Logf("%d alarms in %d streams of 50 windows", alarms, n)
			if float64(alarms) > driftAlpha*float64(n) {
				t.Errorf("%d of %d streams raised a false alarm, more than %v", alarms, n, driftAlpha)
			}
		})
	}
}

func TestAutocorrelationNeedsDeflation(t *testing.T) {
	alarms, n := 0, 20
	for seed := range n {
		value := autoregressive(rand.New(rand.NewPCG(uint64(seed), 4)), 0.98)
		grid, reference, _ := baselineOf(t, value)
		p := driftProcess(t, reference, measure.DriftOptions{Miss: 0.001, Deflation: 1})
		if firstAlarm(t, p, 50, func(int) []uint64 { return count(grid, drawn(1000, value)) }) > 0 {
			alarms++
		}
	}
	if alarms < n*9/10 {
		t.Errorf("%d of %d streams raised an alarm without deflation; then what is it for?", alarms, n)
	}
}

// The delay of the design: 10,000 rows of baseline, 1,000 a window, no
// tolerance, and a shift of the mean after 20 windows without one. Nothing may
// be slower than the design says; an alarm before the shift would be false.
func TestDelay(t *testing.T) {
	const quiet = 20
	for _, c := range []struct {
		shift float64 // in standard deviations
		delay int     // in windows, the median; 1 is the first with the shift
	}{{0.2, 10}, {0.3, 4}, {0.5, 1}} {
		t.Run(fmt.Sprint(c.shift), func(t *testing.T) {
			var delays []int
			for seed := range streams(101) {
				random := rand.New(rand.NewPCG(uint64(seed), 5))
				grid, reference, _ := baselineOf(t, random.NormFloat64)
				p := driftProcess(t, reference, measure.DriftOptions{Miss: 0.001, Deflation: 1})
				at := firstAlarm(t, p, 200, func(w int) []uint64 {
					mean := 0.0
					if w > quiet {
						mean = c.shift
					}
					return count(grid, drawn(1000, func() float64 { return mean + random.NormFloat64() }))
				})
				if at > 0 && at <= quiet {
					t.Fatalf("stream %d: an alarm in window %d, before the shift", seed, at)
				}
				if at == 0 {
					at = quiet + 1000
				}
				delays = append(delays, at-quiet)
			}
			slices.Sort(delays)
			n := len(delays)
			t.Logf("shift %v: delay %d, %d, %d windows (5%%, median, 95%%)", c.shift, delays[n/20], delays[n/2], delays[n-1-n/20])
			if delays[n/2] > c.delay {
				t.Errorf("median delay %d windows, want at most %d", delays[n/2], c.delay)
			}
		})
	}
}
