package clock

import (
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// answers simulates a collector whose clock is ahead by offset and goes faster
// by rate.
func answers(e *Estimator, sent, received time.Time, offset, rate float64, at float64) {
	moment := sent.Add(time.Duration(at * float64(received.Sub(sent))))
	theirs := moment.Add(time.Duration((offset + rate*float64(moment.Unix()%3600)) * 1e9))
	e.Answer(sent, received, theirs.UTC().Format(http.TimeFormat))
}

// The true offset is always within the uncertainty, whatever the round trips,
// wherever in them the answer was written, and while the clocks drift.
func TestTrueOffsetIsWithinTheUncertainty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_768_500_000, 0)
		e := New(func() time.Time { return now })
		offset := rapid.Float64Range(-1000, 1000).Draw(t, "offset")
		rate := rapid.Float64Range(-100e-6, 100e-6).Draw(t, "rate")
		var truth float64
		for range rapid.IntRange(1, 60).Draw(t, "answers") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "pause")))
			sent := now
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(300*time.Millisecond)).Draw(t, "round trip")))
			answers(e, sent, now, offset, rate, rapid.Float64Range(0, 1).Draw(t, "at"))
			truth = offset + rate*float64(now.Unix()%3600)
		}
		got, ok := e.Offset()
		if !ok {
			t.Fatal("nothing is known")
		}
		const rounding = 1e-3 // the simulated rate is applied by whole seconds
		if math.Abs(got.Seconds-truth) > got.Uncertainty+rounding || got.Uncertainty > 0.5+0.15+rounding {
			t.Fatalf("%v ± %v, true %v", got.Seconds, got.Uncertainty, truth)
		}
	})
}

// Many answers tell more than one.
func TestManyAnswersNarrowTheOffset(t *testing.T) {
	now := time.Unix(1_768_500_000, 0)
	e := New(func() time.Time { return now })
	const offset = 3.217
	add := func() float64 {
		sent := now
		now = now.Add(2 * time.Millisecond)
		answers(e, sent, now, offset, 0, 0.5)
		o, _ := e.Offset()
		return o.Uncertainty
	}
	first := add()
	for range 40 {
		now = now.Add(3*time.Second + 77*time.Millisecond)
		add()
	}
	o, _ := e.Offset()
	if first < 0.49 || o.Uncertainty > 0.05 || math.Abs(o.Seconds-offset) > o.Uncertainty {
		t.Errorf("± %v became %v ± %v", first, o.Seconds, o.Uncertainty)
	}
}

// A clock that is set is followed at once, and what is old is forgotten.
func TestSetClockAndOldAnswers(t *testing.T) {
	now := time.Unix(1_768_500_000, 0)
	e := New(func() time.Time { return now })
	for i := range 20 {
		offset := 0.0
		if i >= 10 {
			offset = -60 // the collector's clock was set
		}
		now = now.Add(5 * time.Second)
		answers(e, now, now.Add(time.Millisecond), offset, 0, 0.5)
	}
	if o, ok := e.Offset(); !ok || math.Abs(o.Seconds+60) > o.Uncertainty {
		t.Errorf("%+v", o)
	}
	now = now.Add(memory + time.Second)
	if o, ok := e.Offset(); ok {
		t.Errorf("after eleven minutes of silence: %+v", o)
	}
	for _, date := range []string{"", "yesterday", "2026-01-15T18:14:06Z"} {
		e.Answer(now, now, date)
	}
	e.Answer(now, now.Add(-time.Second), now.UTC().Format(http.TimeFormat)) // its own clock was set back
	if _, ok := e.Offset(); ok {
		t.Error("something is known from nothing")
	}
}

// A real server's Date tells that it has this machine's clock.
func TestRoundTripsOfARealServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	e := New(time.Now)
	client := &http.Client{Transport: e.Wrap(&http.Transport{})}
	defer client.CloseIdleConnections()
	for range 5 {
		resp, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if o, ok := e.Offset(); !ok || math.Abs(o.Seconds) > o.Uncertainty {
		t.Errorf("%+v, %v", o, ok)
	}
}

func BenchmarkAnswer(b *testing.B) {
	e := New(time.Now)
	now := time.Now()
	date := now.UTC().Format(http.TimeFormat)
	b.ReportAllocs()
	for b.Loop() {
		e.Answer(now, now, date)
	}
}
