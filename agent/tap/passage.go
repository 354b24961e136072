package tap

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// passage is one request on its way to a model server that speaks HTTP/1.1.
type passage struct {
	tap     *Tap
	w       http.ResponseWriter
	r       *http.Request
	capture *capture // nil: nobody wants a copy
	body    io.Reader
	upgrade string // the protocol that the client asks to change to; empty: none
	expects bool   // the client waits for a word before it sends its body

	link *link
	used bool  // the link has carried others before
	left int64 // bytes of the body that are not read yet; -1: unknown

	fed     chan struct{} // closed when the body has been sent; nil: it was with the headers
	feeding bool          // it is being sent, or has been

	mu       sync.Mutex
	answered bool  // the answer's headers are there
	ending   bool  // all of the body has come from the client
	sent     bool  // and has been sent
	handed   bool  // whoever sends the body has to give up the link
	broken   error // why the body could not be read from the client, or be sent
}

// pass sends a request over one of the links and streams the answer back.
func (t *Tap) pass(w http.ResponseWriter, r *http.Request, c *capture) {
	p := &passage{tap: t, w: w, r: r, capture: c, body: r.Body, left: r.ContentLength}
	if c != nil {
		p.body = c.tapRequest(r)
	}
	if r.Body == nil || r.Body == http.NoBody {
		p.left = 0
	}
	p.upgrade = upgradeOf(r.Header)
	p.expects = p.left != 0 && hasToken(r.Header["Expect"], "100-continue")
	buffer := copyPool.Get().(*[copyBuffer]byte)
	defer copyPool.Put(buffer)
	answer, stop, err := p.ask(buffer[:0])
	for err != nil && p.mayRepeat(err) {
		answer, stop, err = p.ask(buffer[:0])
	}
	if err != nil {
		t.refuse(w, r, c, p.causeOf(err))
		return
	}
	if answer.StatusCode == http.StatusSwitchingProtocols {
		p.switchProtocol(answer, stop)
		return
	}
	settled := false
	defer func() {
		if !settled { // a panic on the way
			stop()
			t.links.discard(p.link)
		}
	}()
	err = p.deliver(answer, buffer[:])
	settled = true
	p.finish(err, stop, answer.Close)
}

// ask sends the request and waits for the answer's headers. stop ends the watch
// over the client; on an error it has ended, and there is no link.
func (p *passage) ask(b []byte) (answer *http.Response, stop func() bool, err error) {
	if err := p.send(b); err != nil {
		return nil, nil, err
	}
	stop = p.followClient()
	answer, err = p.readAnswer()
	if p.expects && !p.feeding && p.fed != nil {
		close(p.fed) // the body stays with the client
	}
	if err != nil {
		p.tap.links.discard(p.link)
		stop()
		return nil, nil, err
	}
	return answer, stop, nil
}

// mayRepeat says that a request without a body and without effects went down
// with a connection that the model server was about to close.
func (p *passage) mayRepeat(err error) bool {
	if !p.used || p.r.ContentLength != 0 || !errors.Is(err, errNoAnswer) || p.r.Context().Err() != nil {
		return false
	}
	switch p.r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// finish gives the link to the next request, or gives it up where something of
// this one is still on it. An answer that broke off breaks off for the client too.
func (p *passage) finish(broke error, stop func() bool, last bool) {
	switch stopped := stop(); {
	case broke != nil || !stopped || last || p.link.in.Buffered() > 0:
		p.tap.links.discard(p.link)
	default:
		p.release()
	}
	if broke != nil && p.r.Context().Value(http.ServerContextKey) != nil {
		panic(http.ErrAbortHandler)
	}
}

// release gives the link to the next request when the model server has all of
// this one. It may have answered before.
func (p *passage) release() {
	p.mu.Lock()
	sent, handed := p.sent, p.ending && !p.sent
	p.handed = handed
	p.mu.Unlock()
	switch {
	case sent:
		p.tap.links.put(p.link)
	case !handed:
		p.tap.links.discard(p.link)
	}
}

// causeOf gives the reason behind a failure: a client that broke off breaks the
// link.
func (p *passage) causeOf(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return p.broken
	}
	return err
}

// followClient watches the client until stop is called, which is true where the
// client has kept listening and speaking. HTTP/2 tells that a request was
// cancelled: it is broken off. HTTP/1 tells only that the client says nothing
// more, and our server only once the whole request was read.
func (p *passage) followClient() (stop func() bool) {
	ctx, link := p.r.Context(), p.link
	if p.r.ProtoMajor > 1 {
		return context.AfterFunc(ctx, link.abort)
	}
	fed := p.fed
	return context.AfterFunc(ctx, func() {
		if fed != nil {
			<-fed
		}
		link.leave()
	})
}
