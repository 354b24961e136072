package faults

import (
	"strings"
	"sync"
)

// journal is what the senders know: which ids were sent, and which were
// acknowledged. An id begins with the name of its kind and a slash.
type journal struct {
	mu    sync.Mutex
	sent  map[string]bool
	acked map[string]bool
}

func newJournal() *journal { return &journal{sent: map[string]bool{}, acked: map[string]bool{}} }

func (j *journal) note(ids []string, acked bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, id := range ids {
		j.sent[id] = true
		if acked {
			j.acked[id] = true
		}
	}
}

// count is how many ids are acknowledged.
func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.acked)
}

// of gives the ids of one kind.
func (j *journal) of(kind string) (sent, acked map[string]bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	pick := func(from map[string]bool) map[string]bool {
		to := map[string]bool{}
		for id := range from {
			if strings.HasPrefix(id, kind+"/") {
				to[id] = true
			}
		}
		return to
	}
	return pick(j.sent), pick(j.acked)
}
