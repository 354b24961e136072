package export

import (
	"sync"

	"github.com/evenkeel/evenkeel/agent/window"
)

// maxHeldBytes bounds the windows that wait in memory because the spool takes
// none; by estimate.
const maxHeldBytes = 16 << 20

// holding keeps windows that could not be written, oldest first. Its owner
// calls it one at a time; only the account may be read beside.
type holding struct {
	list []*window.Closed

	mu    sync.Mutex
	bytes int64
	count int64
	lost  int64 // windows that did not fit, or that no repetition could write
}

func (h *holding) empty() bool { return len(h.list) == 0 }

// first gives the oldest window, or nil.
func (h *holding) first() *window.Closed {
	if len(h.list) == 0 {
		return nil
	}
	return h.list[0]
}

// add takes a window; false if it does not fit, which counts as lost.
func (h *holding) add(c *window.Closed) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := weight(c)
	if h.bytes+n > maxHeldBytes {
		h.lost++
		return false
	}
	h.list = append(h.list, c)
	h.bytes += n
	h.count++
	return true
}

// lose counts a window that is given up.
func (h *holding) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost++
}

// remove lets the oldest window go.
func (h *holding) remove() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bytes -= weight(h.list[0])
	h.count--
	h.list[0] = nil
	h.list = h.list[1:]
}

func (h *holding) windows() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// account gives how many windows are held and how many were lost.
func (h *holding) account() (held, lost int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count, h.lost
}

// weight estimates a window's size in memory, in bytes.
func weight(c *window.Closed) int64 {
	const record, group, sketch, estimate = 512, 128, 16 << 10, 512
	n := int64(record)
	for _, d := range c.Distributions {
		n += record + 8*int64(len(d.Counts)+len(d.Embedded)) + group*int64(len(d.Groups))
		if d.Distinct != nil {
			n += sketch
		}
		if d.Estimated != nil {
			n += estimate + 8*int64(len(d.Estimated.Positives)+len(d.Estimated.Negatives))
		}
	}
	return n
}
