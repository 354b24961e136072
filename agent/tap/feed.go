package tap

import (
	"errors"
	"io"
	"strconv"
)

// startFeed sends the rest of the body while the answer is awaited.
func (p *passage) startFeed() {
	p.feeding = true
	p.tap.links.feeding.Go(func() {
		defer close(p.fed)
		p.feed()
		p.afterFeed()
	})
}

// feed sends the rest of a request's body as it comes. Where the client breaks
// off, so does the request: the model server must not take it for a whole one.
func (p *passage) feed() {
	buffer := copyPool.Get().(*[copyBuffer]byte)
	defer copyPool.Put(buffer)
	send := p.feedKnown
	if p.left < 0 {
		send = p.feedChunks
	}
	if err := send(buffer[:]); err != nil {
		p.mu.Lock()
		p.broken = leftError{err}
		p.mu.Unlock()
		p.link.abort()
	}
}

// feedKnown sends a body whose length is known. An error is the client's.
func (p *passage) feedKnown(buffer []byte) error {
	for p.left > 0 {
		n, err := p.body.Read(buffer[:min(int64(len(buffer)), p.left)])
		p.left -= int64(n)
		if err != nil && p.left > 0 {
			return orUnexpected(err)
		}
		if p.left == 0 {
			p.atEnd()
		}
		if _, err := p.link.conn.Write(buffer[:n]); err != nil {
			p.notSent(err)
			return nil
		}
	}
	p.allSent()
	return nil
}

// chunkHead is the room before a chunk for its length: four digits at most, and
// the end of the line.
const chunkHead = 6

// feedChunks sends a body of unknown length, each piece as a chunk as soon as it
// is there. An error is the client's.
func (p *passage) feedChunks(buffer []byte) error {
	for {
		n, err := p.body.Read(buffer[chunkHead : len(buffer)-2])
		if err != nil && err != io.EOF {
			return err
		}
		if n > 0 {
			length := strconv.AppendUint(make([]byte, 0, chunkHead), uint64(n), 16)
			from := chunkHead - len(length) - 2
			copy(buffer[from:], length)
			copy(buffer[chunkHead-2:], "\r\n")
			copy(buffer[chunkHead+n:], "\r\n")
			if _, err := p.link.conn.Write(buffer[from : chunkHead+n+2]); err != nil {
				p.notSent(err)
				return nil
			}
		}
		if err == io.EOF {
			p.atEnd()
			end := appendHeader(append(buffer[:0], "0\r\n"...), p.r.Trailer, nil)
			if _, err := p.link.conn.Write(append(end, "\r\n"...)); err != nil {
				p.notSent(err)
				return nil
			}
			p.allSent()
			return nil
		}
	}
}

// atEnd notes that the whole body has come from the client.
func (p *passage) atEnd() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
}

// allSent begins the wait for the answer, when the request has been sent.
func (p *passage) allSent() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = true
	if d := p.tap.o.HeaderTimeout; d > 0 && !p.answered {
		p.link.wait(d)
	}
}

// notSent gives up a model server that has stopped to read and has not begun to
// answer. Where the connection has failed there may be an answer all the same.
func (p *passage) notSent(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answered || !errors.As(err, new(stalledError)) {
		return
	}
	p.broken = err
	p.link.abort()
}

// isSent says that the model server has been sent the whole request.
func (p *passage) isSent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent
}

// afterFeed gives the link to the next request where release left that to us.
func (p *passage) afterFeed() {
	p.mu.Lock()
	sent, handed := p.sent, p.handed
	p.mu.Unlock()
	switch {
	case handed && sent:
		p.tap.links.put(p.link)
	case handed:
		p.tap.links.discard(p.link)
	}
}
