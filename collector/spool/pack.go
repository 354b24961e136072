package spool

import (
	"sync"

	"github.com/klauspost/compress/s2"
)

// buffers are what bodies are packed into.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer bounds a buffer that is kept for the next body.
const maxBuffer = 4 << 20

// pack compresses the body where that saves an eighth at least. The caller gives
// the buffer back when the writer is done with the entry.
func (e *Entry) pack(above int) *[]byte {
	if above <= 0 || len(e.Body) < above {
		return nil
	}
	buf := buffers.Get().(*[]byte)
	packed := s2.Encode((*buf)[:cap(*buf)], e.Body)
	if cap(packed) > cap(*buf) && cap(packed) <= maxBuffer {
		*buf = packed
	}
	if len(packed) < len(e.Body)-len(e.Body)/8 {
		e.packed = packed
	}
	return buf
}

// onDisk is the body as it is written.
func (e *Entry) onDisk() []byte {
	if e.packed != nil {
		return e.packed
	}
	return e.Body
}

// size is how many bytes the body has when it is unpacked.
func (r *Record) size() int64 {
	if r.packed {
		if n, err := s2.DecodedLen(r.Body); err == nil {
			return int64(n)
		}
	}
	return int64(len(r.Body))
}

// unpack makes the body what was appended. One that cannot be unpacked, though
// its checksum agrees, stays as it is: whoever decodes it will put it aside.
func (r *Record) unpack() {
	if !r.packed || r.size() > maxPayload {
		return
	}
	if body, err := s2.Decode(nil, r.Body); err == nil {
		r.Body, r.packed = body, false
	}
}
