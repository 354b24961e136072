package tap

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
)

// readAnswer reads the answer's headers. What comes before them, informational
// answers, is passed on.
func (p *passage) readAnswer() (*http.Response, error) {
	l := p.link
	l.room = maxAnswerHead
	for {
		if err := p.awaitWord(); err != nil {
			return nil, err
		}
		oneEnd := l.endsOneWay()
		answer, err := http.ReadResponse(l.in, p.r)
		switch {
		case err != nil:
			return nil, err
		case answer.StatusCode < 100:
			return nil, fmt.Errorf("it answered with status %q", answer.Status)
		case answer.StatusCode >= 200, answer.StatusCode == http.StatusSwitchingProtocols:
			p.begun()
			answer.Close = answer.Close || !oneEnd && len(answer.TransferEncoding) > 0
			return answer, nil
		case answer.StatusCode == http.StatusContinue && p.expects && p.feeding:
			// The client has been told already.
		default:
			p.inform(answer)
		}
		if answer.StatusCode == http.StatusContinue && p.expects && !p.feeding {
			p.startFeed()
		}
	}
}

// awaitWord waits for the first byte of the next answer. Where the client waits
// for a word before it sends its body, the model server has a while to say one.
func (p *passage) awaitWord() error {
	l := p.link
	if !p.expects || p.feeding {
		return l.begins()
	}
	l.wait(continueTimeout)
	err := l.begins()
	l.wait(0)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		p.startFeed()
		return l.begins()
	}
	return err
}

// begun ends the bounds on the answer's beginning.
func (p *passage) begun() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = true
	p.link.room = math.MaxInt64
	if p.tap.o.HeaderTimeout > 0 {
		p.link.wait(0)
	}
}

// inform passes an informational answer on.
func (p *passage) inform(answer *http.Response) {
	if !p.r.ProtoAtLeast(1, 1) {
		return // HTTP/1.0 does not know them
	}
	h := p.w.Header()
	before := h.Clone()
	copyHeader(h, answer.Header)
	p.w.WriteHeader(answer.StatusCode)
	clear(h)
	for k, v := range before {
		h[k] = v
	}
}
