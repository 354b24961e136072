// Package journal keeps the demo's own account of what the collector has
// acknowledged, so that "nothing was lost, nothing is there twice" does not
// rest on the word of the collector.
//
//	agent -> Proxy -> collector's OTLP/HTTP port
//	           |
//	           +-> Journal: one entry for each window event of a request that
//	               was answered 200 without a rejection
//
//	collector's REST API -> stored rows -> Journal.Compare -> Balance
package journal

import (
	"cmp"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/evenkeel/evenkeel/signal"
)

// Key names one window event for good: one distribution of one window.
type Key struct {
	Window  string // signal.WindowID
	Model   string // signal.ModelRef; sequences are counted for each model
	Target  signal.Target
	Feature signal.FeatureName
}

// Journal holds the keys that were acknowledged. It is safe for concurrent use.
type Journal struct {
	mu    sync.Mutex
	acked map[Key]bool
}

// New makes an empty journal.
func New() *Journal { return &Journal{acked: map[Key]bool{}} }

// Acknowledged counts the distinct events so far.
func (j *Journal) Acknowledged() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.acked)
}

// Keys gives the distinct events in a fixed order.
func (j *Journal) Keys() []Key {
	j.mu.Lock()
	defer j.mu.Unlock()
	keys := make([]Key, 0, len(j.acked))
	for k := range j.acked {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Window, b.Window), cmp.Compare(a.Model, b.Model),
			cmp.Compare(a.Target, b.Target), cmp.Compare(a.Feature, b.Feature))
	})
	return keys
}

// note takes down the window events of an acknowledged request. An event sent
// again after a lost acknowledgement has the same key and counts once.
func (j *Journal) note(request plogotlp.ExportRequest) error {
	keys, err := windowKeys(request)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, k := range keys {
		j.acked[k] = true
	}
	return err
}

func windowKeys(request plogotlp.ExportRequest) ([]Key, error) {
	var keys []Key
	resources := request.Logs().ResourceLogs()
	for i := range resources.Len() {
		scopes := resources.At(i).ScopeLogs()
		for k := range scopes.Len() {
			records := scopes.At(k).LogRecords()
			for n := range records.Len() {
				if records.At(n).EventName() != signal.EventWindowProfile {
					continue
				}
				d, err := signal.DecodeDistribution(records.At(n).Attributes().AsRaw())
				if err != nil {
					return keys, err
				}
				keys = append(keys, Key{d.Window.String(), d.Model.String(), d.Target, d.Feature})
			}
		}
	}
	return keys, nil
}

// Balance compares what was acknowledged with what is stored.
type Balance struct {
	Acknowledged int // distinct events that the collector answered for
	Stored       int // rows of the store under any key, acknowledged or not
	Lost         int // acknowledged events without a row
	Duplicated   int // rows beyond the first of each key
}

// Compare takes the rows that the store has for each key. Rows whose
// acknowledgement never came back are stored and neither lost nor too many.
func (j *Journal) Compare(stored map[Key]int) Balance {
	keys := j.Keys()
	b := Balance{Acknowledged: len(keys)}
	for _, k := range keys {
		if stored[k] == 0 {
			b.Lost++
		}
	}
	for _, rows := range stored {
		b.Stored += rows
		b.Duplicated += max(0, rows-1)
	}
	return b
}
