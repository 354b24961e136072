package agent

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// The same id, the same choice, on every replica; and what is chosen at a rate is
// chosen at every higher one.
func TestChoiceFollowsFromTheIDAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(1e-6, 1).Draw(t, "rate")
		higher := rapid.Float64Range(rate, 1).Draw(t, "higher rate")
		one, other, more := newSampler(rate), newSampler(rate), newSampler(higher)
		for range 5 {
			other.keep("") // what another replica saw before
		}
		before := other.out.Load()
		kept := 0
		ids := rapid.SliceOfN(rapid.StringN(1, 40, -1), 1, 30).Draw(t, "ids")
		for _, id := range ids {
			keep := one.keep(id)
			if keep {
				kept++
			}
			if keep != other.keep(id) || keep != one.chosen(id) && rate < 1 || keep && !more.keep(id) {
				t.Fatalf("%q at %v: %v, and not everywhere", id, rate, keep)
			}
		}
		if n := uint64(len(ids) - kept); one.out.Load() != n || other.out.Load()-before != n {
			t.Fatalf("%d left out, counted %d", n, one.out.Load())
		}
	})
}

// The choice is what the page says, computed otherwise: the first eight bytes of
// SHA-256 as a fraction are below the rate.
func TestChoiceIsTheDocumentedOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0x1p-20, 1-0x1p-20).Draw(t, "rate")
		id := rapid.StringN(1, 40, -1).Draw(t, "id")
		sum := sha256.Sum256([]byte(id))
		share := new(big.Float).SetInt(new(big.Int).SetBytes(sum[:8]))
		share.SetMantExp(share, -64)
		want := share.Cmp(big.NewFloat(rate)) < 0
		if got := newSampler(rate).keep(id); got != want {
			t.Fatalf("%q at %v: %v, want %v", id, rate, got, want)
		}
	})
}

// Ids that hardly differ are chosen as evenly as any: the number chosen is within
// five deviations of what is expected.
func TestShareIsTheRateAlsoForSequentialIDs(t *testing.T) {
	const n = 20_000
	for _, rate := range []float64{0.001, 0.1, 0.5, 0.9} {
		s := newSampler(rate)
		kept := 0
		for i := range n {
			if s.keep(fmt.Sprintf("request-%08d", i)) {
				kept++
			}
		}
		want, deviation := rate*n, math.Sqrt(n*rate*(1-rate))
		if math.Abs(float64(kept)-want) > 5*deviation {
			t.Errorf("%d of %d kept at %v", kept, n, rate)
		}
	}
}

// Without ids the choice is by turns: of any run of requests the share that is
// kept is within one request of the rate.
func TestNamelessRequestsAreChosenByTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.001, 1).Draw(t, "rate")
		s := newSampler(rate)
		kept := []int{0}
		n := rapid.IntRange(1, 300).Draw(t, "requests")
		for i := range n {
			kept = append(kept, kept[i])
			if s.keep("") {
				kept[i+1]++
			}
		}
		from := rapid.IntRange(0, n-1).Draw(t, "from")
		got, want := float64(kept[n]-kept[from]), rate*float64(n-from)
		if math.Abs(got-want) > 1.001 {
			t.Fatalf("%v of the requests %d to %d are kept at %v, want %v", got, from, n, rate, want)
		}
	})
}
