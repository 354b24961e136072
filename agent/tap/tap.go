package tap

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// Options configure a Tap. Zero values mean the defaults that are named.
type Options struct {
	Upstream *url.URL // the model server, http or https; required

	// Wanted says whether the exchange that begins with r is to be copied, and
	// under which model it counts. nil: nothing is. It is called from many
	// goroutines and must not read the body.
	// The model of a gRPC call may be empty: Whose finds it then.
	Wanted func(r *http.Request) (model string, ok bool)

	// Whose names the model of a gRPC call for which Wanted gave an empty one, by
	// the beginning of the request's body (up to 1 KiB) and its Grpc-Encoding.
	// false: nobody wants it, and it is not counted. It is called at the call's
	// end, from many goroutines, and must be quick. nil: nobody wants any.
	Whose func(path, encoding string, beginning []byte) (model string, ok bool)

	// StreamID says of a gRPC method whether each message of a call asks for a
	// prediction of its own (ok), and by which id the message names itself; empty:
	// by none. answer: it is the model server's. The message is whole, or its
	// beginning, or nil where only the method is asked for. nil: no method is.
	StreamID func(path, encoding string, answer bool, message []byte) (id string, ok bool)

	// Named says whether every request for a model is to have a name by which a
	// label finds it: the model server gets it as X-Request-Id where the client
	// sent none, and the client gets it back where the model server does not send
	// one. nil: no request is changed. Called from many goroutines; with an empty
	// model where only Whose will know.
	Named func(model string) bool

	// Choose says whether a wanted exchange is copied at all, so that what would be
	// left out later costs nothing; nil: all are. See Choice.
	Choose func(r *http.Request, model, id string) Choice

	// KeepFailed says whether an exchange of a model has its request's body also where
	// the answer was no 2xx: whoever drains it finds its model there. nil: never.
	KeepFailed func(model string) bool

	// Keep names the headers whose values an Exchange holds, of the request and of
	// the answer; nil: none.
	// Called from many goroutines.
	Keep func() []string

	MaxBody int64 // bytes; an exchange with a longer body is not kept. 0: 4 MiB
	Queue   int64 // bytes that all copies may hold together. 0: 64 MiB

	TLS *tls.Config // of an https Upstream; nil: the machine's certificate store. Not changed

	DialTimeout   time.Duration // to connect to the model server. 0: 5s
	HeaderTimeout time.Duration // for the model server to begin its answer. 0: none, since inference may take long
	// StallTimeout is how long the model server may take nothing of a request that
	// is sent to it. Whatever it takes begins the time anew. 0: 5m
	StallTimeout time.Duration
	// IdleTimeout is how long an unused connection to the model server is kept.
	// It must be shorter than the model server's own, or requests are sent into
	// connections that are being closed; some servers close after 2 s. 0: 1s
	IdleTimeout time.Duration
	MaxIdle     int // pooled connections. 0: 256

	// Finished is told about every wanted request at its end, for a histogram of
	// durations. It runs on the request's goroutine and must be quick.
	Finished func(model string, o Outcome, took time.Duration)

	// Lost is told about every wanted request that Drain will not be given, without
	// its bodies. It runs on the request's goroutine and must be quick; it may not
	// keep x.
	Lost func(x *Exchange)

	Log *slog.Logger // nil: slog.Default
}

// Outcome says how a wanted request ended, as the client saw it.
type Outcome string

// The outcomes.
const (
	OK          Outcome = "ok"           // 1xx to 3xx
	ClientError Outcome = "client_error" // 4xx
	ServerError Outcome = "server_error" // 5xx of the model server
	Unreachable Outcome = "unreachable"  // the model server gave no answer; the client got 502 or 504
	Aborted     Outcome = "aborted"      // client or model server broke off
)

const (
	defaultMaxBody     = 4 << 20
	defaultQueue       = 64 << 20
	defaultDialTimeout = 5 * time.Second
	defaultIdleTimeout = time.Second
	defaultStall       = 5 * time.Minute
	defaultMaxIdle     = 256
)

func (o Options) withDefaults() Options {
	o.MaxBody = orDefault(o.MaxBody, defaultMaxBody)
	o.Queue = orDefault(o.Queue, defaultQueue)
	o.DialTimeout = orDefault(o.DialTimeout, defaultDialTimeout)
	o.StallTimeout = orDefault(o.StallTimeout, defaultStall)
	o.IdleTimeout = orDefault(o.IdleTimeout, defaultIdleTimeout)
	o.MaxIdle = orDefault(o.MaxIdle, defaultMaxIdle)
	if o.Wanted == nil {
		o.Wanted = func(*http.Request) (string, bool) { return "", false }
	}
	if o.Whose == nil {
		o.Whose = func(string, string, []byte) (string, bool) { return "", false }
	}
	if o.Named == nil {
		o.Named = func(string) bool { return false }
	}
	if o.Finished == nil {
		o.Finished = func(string, Outcome, time.Duration) {}
	}
	if o.KeepFailed == nil {
		o.KeepFailed = func(string) bool { return false }
	}
	if o.Lost == nil {
		o.Lost = func(*Exchange) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Tap is the proxy. It is an http.Handler and safe for concurrent use.
type Tap struct {
	o         Options
	proxy     *httputil.ReverseProxy
	links     *links          // to a model server that speaks HTTP/1.1, which every one does
	transport *http.Transport // HTTP/2, for gRPC, which nothing else can carry
	memory    *memory
	queue     chan *Exchange
	counters  counters
}

// exchangeOverhead is charged for each queued copy beside its bodies.
const exchangeOverhead = 1 << 10

// New makes a Tap. It connects to nothing before the first request.
func New(o Options) (*Tap, error) {
	o = o.withDefaults()
	switch {
	case o.Upstream == nil || o.Upstream.Host == "" || o.Upstream.Scheme != "http" && o.Upstream.Scheme != "https":
		return nil, errors.New("tap: upstream: want a URL such as http://127.0.0.1:8080")
	case o.MaxBody < 0 || o.Queue < smallestBuffer:
		return nil, fmt.Errorf("tap: max body of %d and queue of %d bytes: the queue needs at least %d", o.MaxBody, o.Queue, smallestBuffer)
	}
	t := &Tap{
		o:         o,
		links:     newLinks(&o),
		transport: newTransport(&o),
		memory:    &memory{bound: o.Queue},
		queue:     make(chan *Exchange, min(o.Queue/exchangeOverhead, maxQueued)),
	}
	t.proxy = &httputil.ReverseProxy{
		Rewrite:        t.rewrite,
		Transport:      t.transport,
		ModifyResponse: t.tapResponse,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			t.refuse(w, r, captureOf(r.Context()), err)
		},
		BufferPool: copyBuffers{},
		ErrorLog:   slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return t, nil
}

// ServeHTTP forwards a request to the model server and streams the answer back.
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Without this key the server would guess a type for answers that have none.
	w.Header()["Content-Type"] = nil
	// An HTTP/1 server would otherwise swallow and close the rest of a request
	// when its answer begins. HTTP/2 answers that it needs no such thing.
	_ = http.NewResponseController(w).EnableFullDuplex()
	model, ok := t.wanted(r)
	if !ok {
		t.forward(w, r, nil)
		return
	}
	c := t.begin(model, r)
	// An answer that breaks off panics with http.ErrAbortHandler: the copy is
	// finished on that way out, too.
	defer t.finish(c)
	t.forward(w, r, c)
}

// forward sends gRPC over HTTP/2 and all else over HTTP/1.1. c is nil where no
// copy is wanted. A tunnel (CONNECT) would lead past the agent: it is refused.
func (t *Tap) forward(w http.ResponseWriter, r *http.Request, c *capture) {
	if r.Method == http.MethodConnect {
		c.fail(ClientError, http.StatusMethodNotAllowed)
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if !isGRPC(r) {
		if strings.ContainsFunc(r.Method, isNoMethod) {
			c.fail(ClientError, http.StatusBadRequest)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		t.pass(w, r, c)
		return
	}
	if c == nil {
		r = r.WithContext(r.Context())
		r.Body = exactly(r.Body, r.ContentLength)
	} else {
		r = r.WithContext(withCapture(r.Context(), c))
		r.Body = exactly(c.tapRequest(r), r.ContentLength)
	}
	t.proxy.ServeHTTP(w, r)
}

func (t *Tap) wanted(r *http.Request) (model string, ok bool) {
	defer t.recovered(&ok)
	return t.o.Wanted(r)
}

// recovered turns a panic of the capture into a count; done becomes false.
func (t *Tap) recovered(done *bool) {
	if p := recover(); p != nil {
		*done = false
		if t.counters.panics.Add(1) == 1 {
			t.o.Log.Error("capture panicked; the request goes on, further panics are only counted", "panic", fmt.Sprint(p))
		}
	}
}

// Close gives up the connections to the model server. Call it when the server
// that the Tap hangs on has shut down.
func (t *Tap) Close() {
	t.links.close()
	t.transport.CloseIdleConnections()
}
