package span

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSlowIsBeyondTheQuantile(t *testing.T) {
	var l latency
	random, called := rand.New(rand.NewPCG(1, 2)), 0
	for i := range 20_000 {
		took := time.Duration(random.ExpFloat64() * float64(time.Millisecond))
		if l.add(took, .99) {
			called++
			if i < minimum {
				t.Fatalf("the %dth request is called slow", i+1)
			}
		}
	}
	if called < 100 || called > 260 { // cells are 4% wide, so somewhat fewer than 1%
		t.Errorf("%d of 20000 are called slow", called)
	}
	if !l.add(time.Second, .99) || l.add(time.Millisecond, .99) {
		t.Error("a second is slow, a millisecond is not")
	}
	if l.add(time.Hour, 0) {
		t.Error("slow though nobody asked")
	}
}

// A model that has become slow as a whole has no outliers any more.
func TestLatencyForgets(t *testing.T) {
	var l latency
	for range 30_000 {
		l.add(time.Millisecond, .99)
	}
	late := 0
	for range 40_000 {
		if l.add(time.Second, .99) {
			late++
		}
	}
	if late == 0 || late > 2000 {
		t.Errorf("%d called slow", late)
	}
	if l.total > forgetFrom {
		t.Errorf("%v requests are remembered", l.total)
	}
}

func TestCells(t *testing.T) {
	for _, d := range []time.Duration{-1, 0, 1, 2, time.Second, 1<<63 - 1} {
		if c := cellOf(d); c < 0 || c >= cells {
			t.Errorf("%v is in cell %d", d, c)
		}
	}
}
