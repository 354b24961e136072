package agent

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// keeps is what becomes of a request that the ceiling admits all of: its name
// stands in the headers, in the body, or nowhere.
func keeps(s *sampler, c *ceiling, header, body string) bool {
	choice := c.draw(header, 1)
	id := body
	if header != "" {
		id = header
	}
	profile, _ := s.keep(&choice, id)
	return profile
}

// The same id, the same choice, on every replica, wherever the id stands; and
// what is chosen at a rate is chosen at every higher one.
func TestChoiceFollowsFromTheIDAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(1e-6, 1).Draw(t, "rate")
		higher := rapid.Float64Range(rate, 1).Draw(t, "higher rate")
		one, other, more := newSampler(rate, 0), newSampler(rate, 0), newSampler(higher, 0)
		here, there := newCeiling(), newCeiling()
		for range 5 {
			keeps(other, there, "", "") // what another replica saw before
		}
		before := other.out.Load()
		kept := 0
		ids := rapid.SliceOfN(rapid.StringN(1, 40, -1), 1, 30).Draw(t, "ids")
		for _, id := range ids {
			keep := keeps(one, here, id, "")
			if keep {
				kept++
			}
			if keep != keeps(other, there, "", id) || keep && !keeps(more, here, id, "") {
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
		if got := keeps(newSampler(rate, 0), newCeiling(), id, ""); got != want {
			t.Fatalf("%q at %v: %v, want %v", id, rate, got, want)
		}
	})
}

// A ceiling keeps a part of what the rate keeps, and a lower share a part of what
// a higher one does; also where the id shows only in the body, and where the share
// falls after the request was admitted.
func TestLowerShareKeepsASubset(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.01, 1).Draw(t, "rate")
		steps := rapid.IntRange(1, 6).Draw(t, "steps")
		header := rapid.StringN(0, 10, -1).Draw(t, "id in the headers")
		id := header
		if id == "" {
			id = rapid.StringN(0, 10, -1).Draw(t, "id in the body")
		}
		choice := newCeiling().draw(header, 1)
		kept := true
		for i := range steps {
			share := math.Pow(2, -float64(i))
			s := newSampler(rate, 0)
			s.share = share
			now := within(&choice, rate, share) && s.chosen(&choice, id, rate)
			if now && !kept {
				t.Fatalf("%q is kept at a share of %v, and not at twice that", id, share)
			}
			kept = now
		}
	})
}

// The share of the windows is never above that of an exchange in them. It falls at
// once and rises when none has come at the lower share for a while, so that
// requests under way when the share rose do not close a window each.
func TestWindowsSettleOnAShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSampler(1, 0)
		now := time.Unix(1_700_000_000, 0)
		last := map[float64]time.Time{}
		for range rapid.IntRange(1, 60).Draw(t, "exchanges") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(raiseAfter)).Draw(t, "pause")))
			chosen := rapid.SampledFrom([]float64{1, 0.5, 0.25}).Draw(t, "share")
			before := s.share
			changed := s.settle(chosen, now)
			switch {
			case s.share > chosen:
				t.Fatalf("an exchange chosen at %v counts at %v", chosen, s.share)
			case changed != (s.share != before):
				t.Fatalf("from %v to %v: said %v", before, s.share, changed)
			case s.share > before && now.Sub(last[before]) < raiseAfter:
				t.Fatalf("up to %v, though one came at %v %s ago", s.share, before, now.Sub(last[before]))
			case s.share < chosen && now.Sub(last[s.share]) >= raiseAfter:
				t.Fatalf("still at %v, though none came at it for %s", s.share, now.Sub(last[s.share]))
			}
			last[s.share] = later(last[s.share], now, chosen == s.share)
		}
	})
}

func later(before, now time.Time, counts bool) time.Time {
	if counts {
		return now
	}
	return before
}

// Ids that hardly differ are chosen as evenly as any: the number chosen is within
// five deviations of what is expected, under a ceiling as well.
func TestShareIsTheRateAlsoForSequentialIDs(t *testing.T) {
	const n = 20_000
	for _, place := range []string{"headers", "body", "nowhere"} {
		for _, rate := range []float64{0.01, 0.1, 0.5, 0.9} {
			for _, share := range []float64{1, 0.25} {
				kept := 0
				s, c := newSampler(rate, 0), newCeiling()
				s.share = share
				for i := range n {
					header, id := "", ""
					if place != "nowhere" {
						id = fmt.Sprintf("request-%08d", i)
					}
					if place == "headers" {
						header = id
					}
					choice := c.draw(header, share)
					if within(&choice, rate, share) && s.chosen(&choice, id, rate) {
						kept++
					}
				}
				isNear(t, fmt.Sprintf("ids in the %s, rate %v, share %v", place, rate, share), kept, n, rate*share)
			}
		}
	}
}

// isNear fails where a count is beyond five deviations of what chance would give.
func isNear(t *testing.T, what string, kept, n int, rate float64) {
	t.Helper()
	want, deviation := rate*float64(n), math.Sqrt(float64(n)*rate*(1-rate))
	if math.Abs(float64(kept)-want) > 5*deviation {
		t.Errorf("%s: %d of %d kept at %v", what, kept, n, rate)
	}
}

// Requests without ids are chosen at random: of traffic in which kinds of requests
// take turns, each kind is kept at the rate, whatever the period. Turns would keep
// one kind only where the rate fits the period.
func TestNamelessRequestsDoNotAliasWithPeriodicTraffic(t *testing.T) {
	const n = 40_000
	for period := 2; period <= 16; period++ {
		rate := 1 / float64(period)
		s, c := newSampler(rate, 0), newCeiling()
		c.seed = uint64(period) // any will do
		kept := make([]int, period)
		for i := range n {
			if keeps(s, c, "", "") {
				kept[i%period]++
			}
		}
		for kind, k := range kept {
			isNear(t, fmt.Sprintf("kind %d of %d", kind, period), k, n/period, rate)
		}
	}
}

// Two agents choose different requests without ids: their seeds differ.
func TestNamelessChoicesOfTwoAgentsDiffer(t *testing.T) {
	a, b := newCeiling(), newCeiling()
	same := 0
	for range 64 {
		if a.draw("", 1) == b.draw("", 1) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 64 numbers are the same", same)
	}
}

// Predictions have a rate of their own: what is told and what is profiled are
// chosen by the same number, so that the smaller part is within the larger.
func TestPredictionsAreChosenApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate, told := rapid.Float64Range(0.01, 1).Draw(t, "rate"), rapid.Float64Range(0.01, 1).Draw(t, "predictions")
		s, c := newSampler(rate, told), newCeiling()
		id := rapid.StringN(0, 10, -1).Draw(t, "id")
		var choice tap.Choice
		if rapid.Bool().Draw(t, "in the headers") {
			choice = c.draw(id, 1)
		} else {
			choice = c.draw("", 1)
		}
		profile, tell := s.keep(&choice, id)
		if told >= rate && profile && !tell || rate >= told && tell && !profile {
			t.Fatalf("profiled at %v: %v, told at %v: %v", rate, profile, told, tell)
		}
		if n := s.out.Load(); (n == 1) == profile {
			t.Fatalf("profiled: %v, counted as left out %d times", profile, n)
		}
	})
}
