package tap

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// errPassed is why a request cannot be sent a second time.
var errPassed = errors.New("the connection broke, and what was read of the request is not kept")

// sendAgain lets the transport send the request on another connection where a
// pooled one broke before a byte was written on it: model servers close idle
// connections when they like. After the first byte there is no second attempt:
// an inference may be running.
func (c *capture) sendAgain(r *http.Request) {
	// Where the length is unknown, or in HTTP/2, an attempt that failed may still
	// be reading the body.
	t, ok := r.Body.(*tee)
	if !ok || r.ContentLength <= 0 || isGRPC(r) {
		return
	}
	r.GetBody = func() (io.ReadCloser, error) {
		read, ok := t.read()
		if !ok {
			return nil, errPassed
		}
		return &secondBody{Reader: io.MultiReader(bytes.NewReader(read), t), capture: c}, nil
	}
}

// read gives a copy of what has passed so far; false where the copy was given up.
func (t *tee) read() (b []byte, ok bool) {
	t.to.mu.Lock()
	defer t.to.mu.Unlock()
	return bytes.Clone(t.to.body), int64(len(t.to.body)) == t.passed
}

// secondBody is what was read of a body, and then its rest.
type secondBody struct {
	io.Reader
	capture *capture
}

// Read reads until the request has ended; then the body is the server's again.
func (b *secondBody) Read(p []byte) (int, error) {
	if b.capture.ended.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.Reader.Read(p)
}

// Close leaves the client's body open: our server closes it.
func (b *secondBody) Close() error { return nil }
