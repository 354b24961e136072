package tap

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// send writes the headers and, where it is there at once, the whole body. The
// rest is sent while the answer is awaited.
func (p *passage) send(b []byte) error {
	b = p.appendHead(b)
	b, err := p.readFirst(b)
	if err != nil {
		return err
	}
	for {
		link, used, err := p.tap.links.get()
		if err != nil {
			return err
		}
		p.link, p.used = link, used
		n, err := link.conn.Write(b)
		if err == nil {
			break
		}
		if used && n == 0 && !errors.As(err, new(stalledError)) { // model servers close idle connections when they like
			p.tap.links.discard(link)
			continue
		}
		if errors.As(err, new(stalledError)) {
			p.tap.links.discard(link)
			return err
		}
		// It may have answered before it closed the connection.
		link.room = maxAnswerHead
		if begins := link.begins(); begins != nil {
			p.tap.links.discard(link)
			return err
		}
		p.expects = false // the body stays with the client
		return nil
	}
	if p.left == 0 {
		p.sent = true
		p.link.wait(p.tap.o.HeaderTimeout)
		return nil
	}
	p.fed = make(chan struct{})
	if !p.expects {
		p.startFeed()
	}
	return nil
}

// readFirst appends what the client has sent of a body whose length is known:
// mostly all of it.
func (p *passage) readFirst(b []byte) ([]byte, error) {
	room := cap(b) - len(b)
	if p.left <= 0 || p.expects || room == 0 {
		return b, nil
	}
	n, err := p.body.Read(b[len(b) : len(b)+int(min(int64(room), p.left))])
	p.left -= int64(n)
	if err != nil && p.left > 0 {
		return b, leftError{orUnexpected(err)}
	}
	return b[:len(b)+n], nil
}

// isNoMethod finds what would end a method in a request line: HTTP/2 lets it pass,
// and what stands behind it would be a request of the client's own making.
func isNoMethod(c rune) bool { return c <= ' ' || c >= 0x7f }

// leftError is why a client's body could not be read to its end.
type leftError struct{ error }

// Unwrap gives what reading said.
func (e leftError) Unwrap() error { return e.error }

// orUnexpected is the error of a body that ended before its announced length.
func orUnexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendHead appends the request line and the headers: the client's, without
// those that are about its connection to us.
func (p *passage) appendHead(b []byte) []byte {
	r := p.r
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, p.tap.target(r)...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	host := r.Host
	if host == "" {
		host = p.tap.o.Upstream.Host
	}
	b = append(b, host...)
	b = append(b, "\r\n"...)
	b = appendHeader(b, r.Header, r.Header["Connection"])
	switch {
	case p.left > 0, p.left == 0 && announcesNothing(r):
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, p.left, 10)
		b = append(b, "\r\n"...)
	case p.left < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		for k := range r.Trailer {
			b = appendLine(b, "Trailer", k)
		}
	}
	if hasToken(r.Header["Te"], "trailers") {
		b = append(b, "Te: trailers\r\n"...)
	}
	if p.upgrade != "" {
		b = appendLine(append(b, "Connection: Upgrade\r\n"...), "Upgrade", p.upgrade)
	}
	if name := p.capture.newName(r.Header); name != "" {
		b = appendLine(b, headerRequestID, name)
	}
	return append(b, "\r\n"...)
}

// announcesNothing says that an empty body is announced as such.
func announcesNothing(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return r.Header["Content-Length"] != nil
}

// appendHeader appends the headers but those of the connection.
func appendHeader(b []byte, h http.Header, connection []string) []byte {
	for k, values := range h {
		if k == "Content-Length" || isHop(k, connection) {
			continue
		}
		for _, v := range values {
			b = appendLine(b, k, v)
		}
	}
	return b
}

// appendLine appends one header. A value never ends its line early: trailers, for
// one, are not looked through by net/http.
func appendLine(b []byte, key, value string) []byte {
	if strings.IndexByte(value, '\r') >= 0 || strings.IndexByte(value, '\n') >= 0 {
		value = strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
	}
	b = append(b, key...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}
