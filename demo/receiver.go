package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// delivery is what the demo reads of a CloudEvent about a record.
type delivery struct {
	ID      string `json:"id"`
	Type    string `json:"type"`    // evenkeel.record.opened
	Subject string `json:"subject"` // the record's number
}

// receiver is the other end of the webhook plugin: the place where a team's
// own automation would begin. An event that comes twice is told once.
type receiver struct {
	on    func(delivery)
	mu    sync.Mutex
	seen  map[string]bool // by the event's id
	about map[string]bool // by type and subject
}

// told says whether an event of a type has come about a record.
func (r *receiver) told(kind, subject string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.about[kind+" "+subject]
}

func newReceiver(on func(delivery)) *receiver {
	return &receiver{on: on, seen: map[string]bool{}, about: map[string]bool{}}
}

// ServeHTTP takes one CloudEvent in structured mode.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		http.Error(w, fmt.Sprintf("read event: %v", err), http.StatusBadRequest)
		return
	}
	var d delivery
	if err := json.Unmarshal(raw, &d); err != nil || d.ID == "" || d.Type == "" {
		http.Error(w, "not a CloudEvent in JSON", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	again := r.seen[d.ID]
	r.seen[d.ID], r.about[d.Type+" "+d.Subject] = true, true
	r.mu.Unlock()
	if !again {
		r.on(d)
	}
	w.WriteHeader(http.StatusNoContent)
}
