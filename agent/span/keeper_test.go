package span

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

var (
	noon  = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)
	loans = signal.ModelRef{Name: "loans", Version: "7"}
)

func seeded() func() uint64 { return rand.New(rand.NewPCG(1, 2)).Uint64 }

func ended(id string, took time.Duration) *Request {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(id))
	number := sum.Sum64()
	number = (number ^ number>>29) * 0xbf58476d1ce4e5b9 // fnv spreads short texts badly
	return &Request{Model: loans, ID: id, Number: number ^ number>>32, Numbered: true, Start: noon, End: noon.Add(took), Status: 200, Counted: noon}
}

func attr(s *Span, key string) any {
	for _, a := range s.Attrs {
		if a.Key == key {
			return a.Value
		}
	}
	return nil
}

// ids gives the requests that spans are about, sorted, with why.
func ids(spans []Span) []string {
	var out []string
	for i := range spans {
		if spans[i].Name == NameInference {
			out = append(out, fmt.Sprint(attr(&spans[i], signal.KeyPredictionID), " ", attr(&spans[i], signal.KeySpanChoice)))
		}
	}
	slices.Sort(out)
	return out
}

func TestOffTellsNothing(t *testing.T) {
	k := New(Settings{Rate: 1, Slow: .5, MaxCount: 10, MaxBytes: 1 << 20}, nil)
	k.Add(ended("a", time.Second))
	k.Close(&Window{Model: loans, Start: noon, End: noon.Add(1)})
	if got := k.Take(); len(got) != 0 || k.GivenUp() != 0 {
		t.Errorf("%v", got)
	}
}

// Two agents choose the same requests, a smaller share is a part of a larger one,
// and it is about as large as it says.
func TestChoiceFollowsFromTheID(t *testing.T) {
	chosen := func(rate float64) []string {
		k := New(Settings{Send: true, Rate: rate, MaxCount: 1e6, MaxBytes: 1 << 40}, nil)
		for i := range 4000 {
			k.Add(ended(fmt.Sprint("r", i), time.Millisecond))
		}
		return ids(k.Take())
	}
	some, again, more := chosen(.1), chosen(.1), chosen(.5)
	if !slices.Equal(some, again) {
		t.Error("the same requests are chosen differently")
	}
	for _, id := range some {
		if !slices.Contains(more, id) {
			t.Errorf("%s is chosen of a tenth, not of a half", id)
		}
	}
	if n := len(some); n < 320 || n > 480 {
		t.Errorf("%d of 4000", n)
	}
	if n := len(chosen(0)); n != 0 {
		t.Errorf("%d chosen at rate 0", n)
	}
	if n := len(chosen(1)); n != 4000 {
		t.Errorf("%d chosen at rate 1", n)
	}
}

// Where there is too little room, errors stay, then the slowest.
func TestErrorsAndOutliersGoFirst(t *testing.T) {
	k := New(Settings{Send: true, Rate: 1, Slow: .99, MaxCount: 4, MaxBytes: 1 << 20}, seeded())
	for i := range 200 {
		k.Add(ended(fmt.Sprint("plain", i), time.Millisecond))
	}
	for i, took := range []time.Duration{30, 10, 20, 40} {
		k.Add(ended(fmt.Sprint("slow", i), took*time.Millisecond))
	}
	for i := range 2 {
		r := ended(fmt.Sprint("broken", i), time.Microsecond)
		r.Status, r.Failed, r.ServerSide = 503, "503", true
		k.Add(r)
	}
	for i := range 200 {
		k.Add(ended(fmt.Sprint("later", i), time.Millisecond))
	}
	spans := k.Take()
	if got, want := ids(spans), []string{"broken0 error", "broken1 error", "slow0 slow", "slow3 slow"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if k.GivenUp() != 402 {
		t.Errorf("%d given up, want 402", k.GivenUp())
	}
	for i := range spans {
		if failed := attr(&spans[i], keyErrorType) == "503"; failed != spans[i].Failed {
			t.Errorf("%+v", spans[i])
		}
	}
	k.Add(ended("next", time.Millisecond))
	if got := ids(k.Take()); !slices.Equal(got, []string{"next sampled"}) {
		t.Errorf("the next interval has no room: %q", got)
	}
}

// A failure that is the client's is told and is no failure of the server's span.
func TestClientErrors(t *testing.T) {
	k := New(Settings{Send: true, MaxCount: 4, MaxBytes: 1 << 20}, seeded())
	r := ended("a", 1)
	r.Status, r.Failed = 422, "422"
	k.Add(r)
	spans := k.Take()
	if len(spans) != 1 || spans[0].Failed || attr(&spans[0], keyErrorType) != "422" || attr(&spans[0], keyStatus) != int64(422) {
		t.Errorf("%+v", spans)
	}
}

func TestTraceContext(t *testing.T) {
	k := New(Settings{Send: true, Rate: 1, MaxCount: 10, MaxBytes: 1 << 20}, seeded())
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	for _, header := range []string{parent, "", "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"} {
		r := ended("a", 1)
		r.Traceparent, r.Tracestate = header, "vendor=x"
		k.Add(r)
	}
	seen := map[trace.SpanID]bool{}
	for _, s := range k.Take() {
		if !s.Context.IsValid() || seen[s.Context.SpanID()] {
			t.Errorf("%+v", s.Context)
		}
		seen[s.Context.SpanID()] = true
		inTrace := s.Context.TraceID().String() == "4bf92f3577b34da6a3ce929d0e0e4736"
		switch {
		case inTrace && (s.Parent.String() != "00f067aa0ba902b7" || s.Context.IsSampled() || s.Context.TraceState().String() != "vendor=x"):
			t.Errorf("in the client's trace: %+v", s)
		case !inTrace && (s.Parent.IsValid() || !s.Context.IsSampled()):
			t.Errorf("in a trace of its own: %+v", s)
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d spans", len(seen))
	}
}

// A window's span names the requests that it counted and that have a span, no
// others, and its own name follows from the window's.
func TestWindowLinks(t *testing.T) {
	k := New(Settings{Send: true, Rate: 1, MaxCount: 100, MaxBytes: 1 << 20}, seeded())
	add := func(id string, m signal.ModelRef, counted time.Time) {
		r := ended(id, 1)
		r.Model, r.Counted = m, counted
		k.Add(r)
	}
	id := signal.WindowID{Instance: "i", Sequence: 3}
	add("first", loans, noon)
	add("last", loans, noon.Add(time.Minute-1))
	add("after", loans, noon.Add(time.Minute))
	add("other", signal.ModelRef{Name: "loans", Version: "8"}, noon)
	add("undecoded", loans, time.Time{})
	k.Close(&Window{Model: loans, ID: id, Start: noon, End: noon.Add(time.Minute), Told: noon.Add(time.Minute + 5)})
	spans := k.Take()
	byID := map[trace.SpanID]string{}
	var w *Span
	for i := range spans {
		if spans[i].Name == NameWindow {
			w = &spans[i]
			continue
		}
		byID[spans[i].Context.SpanID()] = attr(&spans[i], signal.KeyPredictionID).(string)
	}
	var linked []string
	for _, l := range w.Links {
		linked = append(linked, byID[l.SpanID()])
	}
	if !slices.Equal(linked, []string{"first", "last"}) {
		t.Errorf("%q", linked)
	}
	if !w.Context.Equal(WindowContext(loans, id)) || w.Context.Equal(WindowContext(loans, signal.WindowID{Instance: "i", Sequence: 4})) {
		t.Error("the window's name")
	}
	k.Close(&Window{Model: loans, Start: noon.Add(time.Minute), End: noon.Add(2 * time.Minute)})
	if spans = k.Take(); len(spans) != 1 || len(spans[0].Links) != 1 || byID[spans[0].Links[0].SpanID()] != "after" || spans[0].End.Before(spans[0].Start) {
		t.Errorf("%+v", spans)
	}
}

func TestLinksAreBounded(t *testing.T) {
	k := New(Settings{Send: true, Rate: 1, Slow: .99, MaxCount: 1e6, MaxBytes: 1 << 40}, seeded())
	for i := range 5000 {
		k.Add(ended(fmt.Sprint(i), time.Millisecond))
		if i%100 == 0 {
			k.Take()
			if n := len(k.links[loans]); n >= 2*MaxLinks+100 {
				t.Fatalf("%d links", n)
			}
		}
	}
	k.Add(ended("slow", time.Hour))
	for i := range 200 {
		r := ended("x", 1)
		r.Model.Version = fmt.Sprint(i)
		k.Add(r)
	}
	k.Close(&Window{Model: loans, Start: noon, End: noon.Add(1)})
	spans := k.Take()
	w := spans[len(spans)-1]
	if len(w.Links) != MaxLinks || len(k.links) > maxModels {
		t.Errorf("%d links, %d models", len(w.Links), len(k.links))
	}
	for _, s := range spans {
		if attr(&s, signal.KeyPredictionID) == "slow" && !slices.ContainsFunc(w.Links, s.Context.Equal) {
			t.Error("the slow one is not linked")
		}
	}
}

// Texts of clients are bounded and copied: the memory that they stood in is used
// again.
func TestTextsAreOwn(t *testing.T) {
	k := New(Settings{Send: true, Rate: 1, MaxCount: 10, MaxBytes: 1 << 20}, seeded())
	r := ended(strings.Repeat("i", 1000), 1)
	r.Attrs = func() []signal.Attr {
		return []signal.Attr{{Key: "list", Value: slices.Repeat([]string{strings.Repeat("x", 999)}, 99)}, {Key: "n", Value: int64(4)}}
	}
	k.Add(r)
	s := k.Take()[0]
	list := attr(&s, "list").([]string)
	if len(attr(&s, signal.KeyPredictionID).(string)) != maxText || len(list) != maxTexts || len(list[0]) != maxText || attr(&s, "n") != int64(4) {
		t.Errorf("%v", s.Attrs)
	}
}

// Whatever comes, no interval tells more than its bounds, every candidate is told
// or given up, and no sampled one is told while a failed one is given up.
func TestBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most, bytes := rapid.IntRange(1, 8).Draw(t, "count"), int64(rapid.IntRange(400, 6000).Draw(t, "bytes"))
		k := New(Settings{Send: true, Rate: 1, Slow: .9, MaxCount: most, MaxBytes: bytes}, seeded())
		n, errors := 0, 0
		for i := range rapid.IntRange(0, 60).Draw(t, "requests") {
			r := ended(fmt.Sprint(i), time.Duration(rapid.IntRange(1, 1e6).Draw(t, "took")))
			if rapid.IntRange(0, 4).Draw(t, "kind") == 0 {
				r.Failed = "500"
				errors++
			}
			k.Add(r)
			n++
			if rapid.IntRange(0, 9).Draw(t, "close") == 0 {
				k.Close(&Window{Model: loans, Start: noon, End: noon.Add(1)})
			}
		}
		told, size, failures := 0, int64(0), 0
		for _, s := range k.Take() {
			if s.Name == NameInference {
				told++
				size += s.Bytes()
				if s.Failed || attr(&s, keyErrorType) != nil {
					failures++
				}
			}
		}
		if told > most || size > bytes || int64(told)+k.GivenUp() != int64(n) || failures > errors {
			t.Fatalf("%d told of %d, %d bytes, %d given up", told, n, size, k.GivenUp())
		}
	})
}

// Most requests are no candidates: what they cost.
func BenchmarkAdd(b *testing.B) {
	for name, s := range map[string]Settings{
		"off":     {},
		"plain":   {Send: true, Rate: 0, Slow: .999, MaxCount: 100, MaxBytes: 256 << 10},
		"sampled": {Send: true, Rate: 1, Slow: .99, MaxCount: 100, MaxBytes: 256 << 10},
	} {
		b.Run(name, func(b *testing.B) {
			k := New(s, seeded())
			r := ended("3f2c9d0e-8a77-4b52-9a44-0a8e5f1c2d3b", time.Millisecond)
			b.ReportAllocs()
			for b.Loop() {
				k.Add(r)
			}
		})
	}
}
