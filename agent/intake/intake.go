package intake

import (
	"container/list"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Options configure an Intake. Zero values mean the defaults that are named.
type Options struct {
	// Model gives the configured model that a service's events are of; false:
	// they are not counted. name is empty where events do not name their service.
	// It is called from many goroutines. Required.
	Model func(name string) (model string, ok bool)

	Wait    time.Duration // how long a half waits for the other. 0: 30s
	MaxBody int64         // bytes; a longer body is not kept. 0: 4 MiB
	Queue   int64         // bytes that all bodies may hold together, from their arrival until they are counted. 0: 64 MiB
	Clock   func() time.Time
}

// Exchange is a request and its answer. It is valid until consume returns.
type Exchange struct {
	Model             string
	ID, Trace         string
	Start, End        time.Time
	Request, Response Message
	held              int64
}

// Message is one direction of an Exchange.
type Message struct {
	Body            []byte
	ContentEncoding string
}

// Intake pairs events. It is an http.Handler and safe for concurrent use.
type Intake struct {
	o     Options
	queue chan *Exchange
	wake  chan struct{} // something waits that did not before

	mu      sync.Mutex
	held    int64 // bytes
	pairs   map[key]*pair
	waiting list.List // of *pair: one half came
	done    list.List // of *pair: both came
	models  map[string]*Counts
	refused map[string]uint64
	closed  bool
}

// Counts are the running counts of one model's exchanges. Those of which a half
// waits are not in them: Seen = Captured + Dropped().
type Counts struct {
	Seen      uint64
	Captured  uint64 // handed to Drain, or waiting for it
	Unpaired  uint64 // one half came, and the other did not in time
	QueueFull uint64 // no room. An exchange may count twice, once for each half
	TooLarge  uint64 // a body beyond MaxBody
}

// Dropped gives how many exchanges were not captured, for any reason.
func (c Counts) Dropped() uint64 { return c.Unpaired + c.QueueFull + c.TooLarge }

const (
	defaultWait    = 30 * time.Second
	defaultMaxBody = 4 << 20
	defaultQueue   = 64 << 20

	// overhead is charged for each half that waits, and for each exchange that is
	// remembered.
	overhead = 512
	// maxQueued bounds the exchanges that wait for Drain, beside the bytes.
	maxQueued = 1 << 14
)

// Why events are refused; none of a configured model is among them.
const (
	RefusedNoEvent    = "no_event"      // no CloudEvent, or one that cannot be read
	RefusedOtherEvent = "other_event"   // tells of no inference
	RefusedModel      = "unknown_model" // of a service that is not configured
	RefusedDuplicate  = "duplicate"     // came before
)

// New makes an Intake.
func New(o Options) *Intake {
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	i := &Intake{
		o: o, queue: make(chan *Exchange, maxQueued), wake: make(chan struct{}, 1),
		pairs: map[key]*pair{}, models: map[string]*Counts{}, refused: map[string]uint64{},
	}
	for _, reason := range []string{RefusedNoEvent, RefusedOtherEvent, RefusedModel, RefusedDuplicate} {
		i.refused[reason] = 0
	}
	return i
}

// ServeHTTP takes one event or a batch of them: POST, at any path. What is taken
// or counted as dropped is answered with 202, so that nobody sends it again; what
// is no event with 400. A batch is answered for as a whole: those of its members
// that are no events are counted.
func (i *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "CloudEvents are posted here", http.StatusMethodNotAllowed)
		return
	}
	switch err := i.take(r); {
	case err != nil:
		i.refuse(RefusedNoEvent)
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

// take reads and pairs what a request holds.
func (i *Intake) take(r *http.Request) error {
	if mode := modeOf(r.Header); mode != binary {
		return i.takeStructured(r, mode == batched)
	}
	a, err := attributesOf(r.Header)
	if err != nil {
		return err
	}
	e, ok := i.known(&a)
	if !ok {
		return nil
	}
	e.encoding = r.Header.Get("Content-Encoding")
	room := i.roomFor(r.ContentLength)
	if !i.reserve(room + overhead) {
		i.drop(e.key.model, func(c *Counts) { c.QueueFull++ })
		return nil
	}
	body, err := read(r.Body, r.ContentLength, i.o.MaxBody)
	if err != nil && !errors.Is(err, errTooLarge) {
		i.release(room + overhead)
		return err // the logger broke off: it may send it again
	}
	e.body = body
	i.release(room - int64(cap(body)))
	i.pair(&e, err != nil)
	return nil
}

// known gives the event where it is of a configured model, and counts it where
// it is not.
func (i *Intake) known(a *attributes) (event, bool) {
	e, ok := a.event()
	if !ok {
		i.refuse(RefusedOtherEvent)
		return e, false
	}
	if e.key.model, ok = i.o.Model(a.Model); !ok {
		i.refuse(RefusedModel)
	}
	return e, ok
}

// roomFor gives the bytes to reserve for a body of an announced length, -1:
// unknown.
func (i *Intake) roomFor(length int64) int64 {
	switch {
	case length < 0:
		return i.o.MaxBody
	case length > i.o.MaxBody:
		return 0 // it is not read
	}
	return length
}

// Drain calls consume for each exchange until ctx is done; then it takes what
// still waits in pairs and returns. Halves that wait in vain are counted
// meanwhile. One Drain at a time.
func (i *Intake) Drain(ctx context.Context, consume func(*Exchange)) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if next, any := i.expire(); any {
			timer.Reset(next)
		}
		select {
		case x := <-i.queue:
			i.consume(x, consume)
		case <-i.wake:
		case <-timer.C:
		case <-ctx.Done():
			i.drainRest(consume)
			return
		}
	}
}

func (i *Intake) drainRest(consume func(*Exchange)) {
	for {
		select {
		case x := <-i.queue:
			i.consume(x, consume)
		default:
			return
		}
	}
}

func (i *Intake) consume(x *Exchange, consume func(*Exchange)) {
	defer i.release(x.held)
	consume(x)
}
