package tap

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// memory lends buffers for copies, in sizes of 4 KiB times a power of four,
// and bounds how many bytes are lent at once. What counts is the room that a
// buffer takes, not how much of it is used.
type memory struct {
	bound int64
	lent  atomic.Int64
	pools [bufferSizes]sync.Pool
}

const (
	smallestBuffer = 4 << 10
	bufferSizes    = 10 // up to 1 GiB
)

// sizeClass gives the index of the smallest size that holds n bytes.
func sizeClass(n int) int {
	if n <= smallestBuffer {
		return 0
	}
	return (bits.Len(uint(n-1)/smallestBuffer) + 1) / 2
}

func classBytes(class int) int { return smallestBuffer << (2 * class) }

// reserve counts n bytes as lent; false where there is no room.
func (m *memory) reserve(n int64) bool {
	if m.lent.Add(n) > m.bound {
		m.lent.Add(-n)
		return false
	}
	return true
}

func (m *memory) release(n int64) { m.lent.Add(-n) }

// get lends an empty buffer with room for n bytes; nil where there is none.
func (m *memory) get(n int) []byte {
	class := sizeClass(n)
	if class >= bufferSizes || !m.reserve(int64(classBytes(class))) {
		return nil
	}
	if b, ok := m.pools[class].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, classBytes(class))
}

// put takes a buffer back; nil is no buffer.
func (m *memory) put(b []byte) {
	if b == nil {
		return
	}
	m.release(int64(cap(b)))
	b = b[:0]
	m.pools[sizeClass(cap(b))].Put(&b)
}

// grow lends a buffer with b's content and room for more, and takes b back.
// false: there is no room, and b was taken back all the same.
func (m *memory) grow(b []byte, more int) ([]byte, bool) {
	larger := m.get(len(b) + more)
	if larger != nil {
		larger = append(larger, b...)
	}
	m.put(b)
	return larger, larger != nil
}
