package tap

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// deliver passes an answer on to the client. An error says that it broke off.
func (p *passage) deliver(answer *http.Response, buffer []byte) error {
	if p.capture != nil {
		p.capture.tapAnswer(answer)
	}
	h := p.w.Header()
	copyHeader(h, answer.Header)
	announced := len(answer.Trailer)
	for k := range answer.Trailer {
		h.Add("Trailer", k)
	}
	p.w.WriteHeader(answer.StatusCode)
	out := http.NewResponseController(p.w)
	atOnce := answer.ContentLength < 0 || strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream")
	if atOnce && p.link.in.Buffered() == 0 {
		_ = out.Flush() // writing will tell what is wrong
	}
	if err := copyBody(p.w, answer.Body, buffer, atOnce, out); err != nil {
		return err
	}
	if len(answer.Trailer) == 0 {
		return nil
	}
	_ = out.Flush() // chunks, which alone can have trailers
	for k, values := range answer.Trailer {
		if len(answer.Trailer) != announced {
			k = http.TrailerPrefix + k
		}
		h[k] = append(h[k], values...)
	}
	return nil
}

// copyBody copies until the end; atOnce: each piece as it comes, so that chunks
// stay chunks.
func copyBody(w io.Writer, body io.Reader, buffer []byte, atOnce bool, out *http.ResponseController) error {
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if atOnce {
			_ = out.Flush() // the next write will tell what is wrong
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// switchProtocol joins the client's connection to the model server's, on which
// both speak something else from now on: the client when it has sent the whole
// request, whose end is read first.
func (p *passage) switchProtocol(answer *http.Response, stop func() bool) {
	defer p.tap.links.discard(p.link)
	if p.fed != nil {
		<-p.fed
	}
	if !stop() {
		return // the client has gone
	}
	if !p.isSent() {
		p.tap.refuse(p.w, p.r, p.capture, p.causeOf(errors.New("it changes the protocol without having read the request")))
		return
	}
	if got := upgradeOf(answer.Header); p.upgrade == "" || !strings.EqualFold(got, p.upgrade) {
		p.tap.refuse(p.w, p.r, p.capture, fmt.Errorf("it changes to protocol %q, %q was asked for", got, p.upgrade))
		return
	}
	if p.capture != nil {
		p.capture.tapAnswer(answer)
	}
	conn, client, err := http.NewResponseController(p.w).Hijack()
	if err != nil {
		p.tap.refuse(p.w, p.r, p.capture, fmt.Errorf("this connection cannot change its protocol: %w", err))
		return
	}
	defer conn.Close()
	head := append([]byte(nil), "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"...)
	head = appendLine(head, "Upgrade", upgradeOf(answer.Header))
	head = append(appendHeader(head, answer.Header, answer.Header["Connection"]), "\r\n"...)
	if _, err := conn.Write(head); err != nil {
		return
	}
	join(conn, client.Reader, p.link.conn, p.link.in)
}

// join copies both ways between two connections, until both sides have ended or
// one has failed. What was read of them already comes first.
func join(client io.Writer, fromClient io.Reader, server io.Writer, fromServer io.Reader) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		oneWay(server, fromClient, client)
	}()
	oneWay(client, fromServer, server)
	<-done
}

// oneWay copies until the end and passes that on. Where writing fails nobody
// listens: the other direction is broken off, too.
func oneWay(to io.Writer, from io.Reader, back io.Writer) {
	buffer := copyPool.Get().(*[copyBuffer]byte)
	defer copyPool.Put(buffer)
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, buffer[:])
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil && half.CloseWrite() == nil {
		return
	}
	for _, end := range []io.Writer{to, back} {
		if c, ok := end.(io.Closer); ok {
			_ = c.Close() // it is to be broken off
		}
	}
}
