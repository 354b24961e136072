package join

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// slot is one span of time, with the file that holds its predictions and their
// labels, a JSON object a line.
type slot struct {
	start, end  time.Time
	path        string
	waiting     []byte // not written yet
	size        int64  // with what waits
	predictions int64
}

const suffix = ".jsonl"

func slotName(start, end time.Time) string {
	return fmt.Sprintf("%d-%d%s", start.UnixNano(), end.UnixNano(), suffix)
}

func parseSlotName(name string) (start, end time.Time, ok bool) {
	var from, to int64
	if _, err := fmt.Sscanf(name, "%d-%d"+suffix, &from, &to); err != nil || to <= from || slotName(time.Unix(0, from), time.Unix(0, to)) != name {
		return start, end, false
	}
	return time.Unix(0, from).UTC(), time.Unix(0, to).UTC(), true
}

// slotAt finds or makes the slot of an instant.
func (j *Join) slotAt(t time.Time) *slot {
	length := int64(j.o.Slot)
	from := t.UnixNano() / length * length
	start, end := time.Unix(0, from).UTC(), time.Unix(0, from+length).UTC()
	name := slotName(start, end)
	s := j.slots[name]
	if s == nil {
		s = &slot{start: start, end: end, path: filepath.Join(j.o.Folder, name)}
		j.slots[name] = s
	}
	return s
}

// append adds a line to a slot.
func (j *Join) append(s *slot, line []byte) {
	s.waiting = append(s.waiting, line...)
	s.size += int64(len(line))
	j.counts.Bytes += int64(len(line))
	if len(s.waiting) >= flushAtBytes {
		if err := s.flush(false); err != nil {
			j.unwritable(s, err)
		}
	}
}

// flush writes what waits. Where that fails it goes on waiting.
func (s *slot) flush(sync bool) error {
	if len(s.waiting) == 0 && !sync {
		return nil
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	n, err := f.Write(s.waiting)
	s.waiting = s.waiting[n:]
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// unwritable gives up what a slot could not write once it is more than a flush:
// memory is bounded.
func (j *Join) unwritable(s *slot, err error) {
	j.o.Log.Warn("joined predictions could not be written", "slot", s.end, "error", err)
	if len(s.waiting) < 2*flushAtBytes {
		return
	}
	lost := uint64(strings.Count(string(s.waiting), "\n"))
	j.counts.Unwritable += lost
	j.counts.Bytes -= int64(len(s.waiting))
	s.size -= int64(len(s.waiting))
	s.waiting = []byte{'\n'} // ends a line that was half written
}

// line is what a line of a file holds: one of the two.
type line struct {
	Prediction *keptPrediction `json:"p,omitempty"`
	Label      *keptLabel      `json:"l,omitempty"`
}

type keptPrediction struct {
	ID      string              `json:"i"`
	Row     uint32              `json:"r,omitempty"`
	Version string              `json:"m,omitempty"`
	Value   string              `json:"v,omitempty"`
	Score   *float64            `json:"s,omitempty"`
	Groups  []signal.Membership `json:"g,omitempty"`
}

type keptLabel struct {
	ID       string    `json:"i"`
	Row      uint32    `json:"r,omitempty"`
	Value    string    `json:"v"`
	Time     time.Time `json:"t"`
	Received time.Time `json:"c"`
}

func predictionLine(p *signal.Prediction) []byte {
	k := &keptPrediction{ID: p.ID, Row: p.Row, Version: p.Model.Version, Value: p.Value, Groups: p.Groups}
	if !math.IsNaN(p.Score) && !math.IsInf(p.Score, 0) {
		k.Score = &p.Score
	}
	return jsonLine(line{Prediction: k})
}

func labelLine(l *signal.Label) []byte {
	return jsonLine(line{Label: &keptLabel{ID: l.ID, Row: l.Row, Value: l.Value, Time: l.Time, Received: l.Received}})
}

func jsonLine(l line) []byte {
	raw, _ := json.Marshal(l) // texts, finite numbers and times within years 0 to 9999: cannot fail
	return append(raw, '\n')
}

// readLines gives every line of a slot's file, and how many were damaged.
func readLines(path string, yield func(*line)) (damaged uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // it was only read
	reader := bufio.NewReader(f)
	for {
		raw, err := reader.ReadBytes('\n')
		if len(raw) > 1 {
			var l line
			if bad := json.Unmarshal(raw, &l); bad != nil || (l.Prediction == nil) == (l.Label == nil) {
				damaged++
			} else {
				yield(&l)
			}
		}
		if errors.Is(err, io.EOF) {
			return damaged, nil
		}
		if err != nil {
			return damaged, err
		}
	}
}

// readFolder takes up the slots that an earlier process has left. Those beyond
// the bound of memory are counted when they are due, but no label finds them.
func (j *Join) readFolder() error {
	entries, err := os.ReadDir(j.o.Folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		start, end, ok := parseSlotName(e.Name())
		if !ok {
			continue
		}
		s := &slot{start: start, end: end, path: filepath.Join(j.o.Folder, e.Name())}
		damaged, err := readLines(s.path, func(l *line) {
			if l.Prediction == nil {
				return
			}
			s.predictions++
			if j.counts.Waiting++; j.counts.Waiting*indexEntry <= j.o.Memory {
				j.index[j.key(l.Prediction.ID, l.Prediction.Row)] = s
			}
		})
		if err != nil {
			return err
		}
		if info, err := e.Info(); err == nil {
			s.size = info.Size()
		}
		if damaged > 0 {
			s.waiting, s.size = []byte{'\n'}, s.size+1 // the last line may lack its end
		}
		j.counts.Damaged += damaged
		j.counts.Bytes += s.size
		j.slots[e.Name()] = s
	}
	return nil
}
