package tap

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// rewrite aims the request at the model server and leaves all else as the
// client sent it: host, query, forwarding headers. A name is added where the
// request is to have one.
func (t *Tap) rewrite(p *httputil.ProxyRequest) {
	query := p.In.URL.RawQuery
	p.SetURL(t.o.Upstream)
	p.Out.URL.RawQuery = query // ReverseProxy drops what it cannot parse
	p.Out.Host = p.In.Host
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := p.In.Header[h]; ok {
			p.Out.Header[h] = v
		}
	}
	captureOf(p.In.Context()).nameRequest(p.Out.Header)
}

// transports are the connection pools to the model server: HTTP/1.1, which
// every server speaks, and HTTP/2 for gRPC, which nothing else can carry.
type transports struct {
	one, two *http.Transport
}

// continueTimeout is how long a client that asked first (Expect: 100-continue)
// waits for the model server's word. Servers that do not know the question say
// nothing; clients do not wait for them longer either.
const continueTimeout = time.Second

func newTransports(o Options) *transports {
	pool := func(p *http.Protocols) *http.Transport {
		dialer := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 30 * time.Second}
		return &http.Transport{
			DialContext:           dialer.DialContext,
			ResponseHeaderTimeout: o.HeaderTimeout,
			ExpectContinueTimeout: continueTimeout,
			IdleConnTimeout:       o.IdleTimeout,
			MaxIdleConns:          o.MaxIdle,
			MaxIdleConnsPerHost:   o.MaxIdle,
			// Otherwise the transport would ask for gzip by itself and unpack it:
			// other bytes than the model server sent.
			DisableCompression: true,
			Protocols:          p,
		}
	}
	var one, two http.Protocols
	one.SetHTTP1(true)
	two.SetHTTP2(true)
	two.SetUnencryptedHTTP2(true)
	return &transports{one: pool(&one), two: pool(&two)}
}

// RoundTrip sends gRPC over HTTP/2 and all else over HTTP/1.1.
func (t *transports) RoundTrip(r *http.Request) (*http.Response, error) {
	if isGRPC(r) {
		return t.two.RoundTrip(r)
	}
	return t.one.RoundTrip(r)
}

func (t *transports) CloseIdleConnections() {
	t.one.CloseIdleConnections()
	t.two.CloseIdleConnections()
}

// refuse answers for a model server that did not.
func (t *Tap) refuse(w http.ResponseWriter, r *http.Request, err error) {
	c := captureOf(r.Context())
	if r.Context().Err() != nil || c != nil && c.request.isBroken() { // the client left
		c.fail(Aborted, http.StatusBadGateway)
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	t.counters.unreachable.Add(1)
	status := http.StatusBadGateway
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	c.fail(Unreachable, status)
	t.o.Log.Debug("model server gave no answer", "upstream", t.o.Upstream.Host, "error", err)
	text := "evenkeel-agent: the model server at " + t.o.Upstream.Host + " gave no answer: " + cause(err)
	if isGRPC(r) {
		refuseCall(w, status, text)
		return
	}
	body, _ := json.Marshal(map[string]string{"error": text}) // a string: cannot fail
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that left needs no answer
}

// cause leaves out the address, which the sentence names already.
func cause(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

// copyBuffers lends the memory through which ReverseProxy copies answers.
type copyBuffers struct{}

var copyPool = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (copyBuffers) Get() []byte  { return copyPool.Get().(*[32 << 10]byte)[:] }
func (copyBuffers) Put(b []byte) { copyPool.Put((*[32 << 10]byte)(b)) }
