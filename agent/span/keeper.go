package span

import (
	"cmp"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Settings say which requests are told. The zero Settings tell nothing.
type Settings struct {
	Send     bool
	Rate     float64       // share of the requests that are chosen by their id, from 0 to 1
	Slow     float64       // quantile of the durations beyond which a request is told; 0: none is
	MaxCount int           // requests that are told in one interval
	MaxBytes int64         // what their spans may take, by estimate
	Every    time.Duration // length of an interval; 0: 10s
}

const defaultEvery = 10 * time.Second

// Keeper chooses. It is safe for concurrent use, and nobody waits in it for longer
// than a choice takes.
type Keeper struct {
	random func() uint64
	on     atomic.Bool

	mu        sync.Mutex
	settings  Settings
	durations map[string]*latency // by model
	waiting   candidates          // of this interval, not chosen yet
	count     int                 // chosen in this interval
	bytes     int64
	chosen    []Span // to be taken
	windows   int    // of them
	links     links
	givenUp   int64
}

// maxWindows bounds the spans of windows that wait to be taken; there is one for
// each window, so more wait only where nobody takes any.
const maxWindows = 1024

// New makes a Keeper. random gives the ids of spans and the places of requests
// that have no id; nil: math/rand's.
func New(s Settings, random func() uint64) *Keeper {
	if random == nil {
		random = rand.Uint64
	}
	k := &Keeper{random: random, durations: map[string]*latency{}, links: links{}}
	k.Configure(s)
	return k
}

// Configure changes the settings, from the next request on.
func (k *Keeper) Configure(s Settings) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settings = s
	k.on.Store(s.Send)
}

// Every is the length of an interval.
func (k *Keeper) Every() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return cmp.Or(k.settings.Every, defaultEvery)
}

// On says whether anything is told.
func (k *Keeper) On() bool { return k.on.Load() }

// Add looks at a request that has ended. A request that a window counts is to be
// added before the window can close.
func (k *Keeper) Add(r *Request) {
	if !k.On() || r.Start.IsZero() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	why, place, ok := k.choose(r)
	if !ok {
		return
	}
	c := k.candidate(r, why, place)
	k.givenUp += int64(k.waiting.add(c, k.settings.MaxCount-k.count, k.settings.MaxBytes-k.bytes))
}

// choose says why a request may be told.
func (k *Keeper) choose(r *Request) (why choice, place uint64, ok bool) {
	if place = r.Number; !r.Numbered {
		place = k.random()
	}
	if r.Failed != "" {
		return failed, place, true
	}
	l := k.durations[r.Model.Name]
	if l == nil {
		l = new(latency)
		k.durations[text(r.Model.Name)] = l
	}
	if l.add(r.took(), k.settings.Slow) {
		return slow, place, true
	}
	return sampled, place, k.settings.Rate >= 1 || place < uint64(k.settings.Rate*math.MaxUint64)
}

// candidate makes the span that the request will be.
func (k *Keeper) candidate(r *Request, why choice, place uint64) *candidate {
	parent := parentOf(r.Traceparent, r.Tracestate)
	s := Span{
		Context: newContext(parent, k.random), Parent: parent.SpanID(), Name: NameInference, Server: true,
		Start: r.Start, End: r.End, Failed: r.Failed != "" && r.ServerSide,
	}
	model := signal.ModelRef{Name: text(r.Model.Name), Version: text(r.Model.Version)}
	s.Attrs = append(s.Attrs, signal.Attr{Key: signal.KeyModelName, Value: model.Name})
	for _, a := range []signal.Attr{
		{Key: signal.KeyModelVersion, Value: model.Version}, {Key: signal.KeyPredictionID, Value: r.ID}, {Key: keyErrorType, Value: r.Failed},
	} {
		if a.Value != "" {
			s.Attrs = append(s.Attrs, a)
		}
	}
	if r.Status != 0 {
		s.Attrs = append(s.Attrs, signal.Attr{Key: keyStatus, Value: int64(r.Status)})
	}
	s.Attrs = append(s.Attrs, signal.Attr{Key: signal.KeySpanChoice, Value: choices[why]})
	if why == sampled {
		s.Attrs = append(s.Attrs, signal.Attr{Key: signal.KeySpanRate, Value: k.settings.Rate})
	}
	if r.Attrs != nil {
		s.Attrs = append(s.Attrs, r.Attrs()...)
	}
	s.Attrs = ownTexts(s.Attrs)
	return &candidate{span: s, choice: why, place: place, took: r.took(), bytes: s.Bytes(), model: model, counted: r.Counted}
}

// Attributes of OpenTelemetry's conventions for HTTP.
const (
	keyErrorType = "error.type"
	keyStatus    = "http.response.status_code"
)

// settle makes spans of the candidates. The caller holds mu.
func (k *Keeper) settle() {
	k.count += len(k.waiting.list)
	k.bytes += k.waiting.bytes
	for _, c := range k.waiting.take() {
		k.chosen = append(k.chosen, c.span)
		k.links.add(c)
	}
}

// Take ends an interval and gives the spans that it chose.
func (k *Keeper) Take() []Span {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settle()
	out := k.chosen
	k.chosen, k.windows, k.count, k.bytes = nil, 0, 0, 0
	return out
}

// Window is what is told about a closed window.
type Window struct {
	Model      signal.ModelRef
	ID         signal.WindowID
	Start, End time.Time     // what it counted
	Told       time.Time     // when it was evaluated and on disk
	Failed     bool          // it is not on disk yet
	Attrs      []signal.Attr // beside the above
}

// Close chooses among the requests so far and tells the window with links to those
// that it counted. It does nothing where nothing is told.
func (k *Keeper) Close(w *Window) {
	if !k.On() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.settle()
	s := Span{
		Context: WindowContext(w.Model, w.ID), Name: NameWindow, Start: w.End, End: w.Told,
		Attrs: append([]signal.Attr{
			{Key: signal.KeyModelName, Value: w.Model.Name},
			{Key: signal.KeyModelVersion, Value: w.Model.Version},
			{Key: signal.KeyWindowInstance, Value: string(w.ID.Instance)},
			{Key: signal.KeyWindowSequence, Value: int64(w.ID.Sequence)},
			{Key: signal.KeyWindowStart, Value: w.Start.UnixNano()},
			{Key: signal.KeyWindowEnd, Value: w.End.UnixNano()},
		}, w.Attrs...),
		Failed: w.Failed, Links: k.links.take(w.Model, w.End),
	}
	if s.End.Before(s.Start) { // the clock was set back
		s.End = s.Start
	}
	if k.windows >= maxWindows {
		k.givenUp++
		return
	}
	k.windows++
	k.chosen = append(k.chosen, s)
}

// GivenUp counts the candidates that were too many, since the start.
func (k *Keeper) GivenUp() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.givenUp
}
