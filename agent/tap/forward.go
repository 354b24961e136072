package tap

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
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
	if name := captureOf(p.In.Context()).newName(p.In.Header); name != "" {
		p.Out.Header.Set(headerRequestID, name)
	}
}

// target gives the request's target as the model server is to see it: as the
// client wrote it, behind the path of Upstream.
func (t *Tap) target(r *http.Request) string {
	// HTTP/2 lets white space pass, at which a request line would end.
	plain := strings.HasPrefix(r.RequestURI, "/") && !strings.Contains(r.RequestURI, " ")
	if base := t.o.Upstream.Path; plain && (base == "" || base == "/") {
		return r.RequestURI
	}
	out := &http.Request{URL: new(url.URL)}
	*out.URL = *r.URL
	(&httputil.ProxyRequest{In: r, Out: out}).SetURL(t.o.Upstream)
	out.URL.RawQuery = r.URL.RawQuery
	return out.URL.RequestURI()
}

// continueTimeout is how long a client that asked first (Expect: 100-continue)
// waits for the model server's word. Servers that do not know the question say
// nothing; clients do not wait for them longer either.
const continueTimeout = time.Second

// newTransport makes the pool for gRPC.
func newTransport(o *Options) *http.Transport {
	var p http.Protocols
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return &http.Transport{
		DialContext:           dialer(o).DialContext,
		TLSClientConfig:       secureFor(o, "h2"),
		ResponseHeaderTimeout: o.HeaderTimeout,
		HTTP2:                 &http.HTTP2Config{WriteByteTimeout: o.StallTimeout},
		IdleConnTimeout:       o.IdleTimeout,
		MaxIdleConns:          o.MaxIdle,
		MaxIdleConnsPerHost:   o.MaxIdle,
		// Otherwise the transport would ask for gzip by itself and unpack it:
		// other bytes than the model server sent.
		DisableCompression: true,
		Protocols:          &p,
	}
}

// refuse answers for a model server that did not.
func (t *Tap) refuse(w http.ResponseWriter, r *http.Request, c *capture, err error) {
	var left leftError
	if r.Context().Err() != nil || errors.As(err, &left) || c != nil && c.request.isBroken() { // the client left
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

// copyBuffers lends the memory through which bodies are copied.
type copyBuffers struct{}

const copyBuffer = 32 << 10

var copyPool = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

func (copyBuffers) Get() []byte  { return copyPool.Get().(*[copyBuffer]byte)[:] }
func (copyBuffers) Put(b []byte) { copyPool.Put((*[copyBuffer]byte)(b)) }
