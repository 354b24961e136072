package join

import (
	"context"
	"hash/maphash"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/signal"
)

// Options say how a Join works. Folder, Model, Instance and Tell are needed and stay as
// they are; the others may be changed by Configure.
type Options struct {
	Folder   string // of this model alone; it is made
	Model    string // its name
	Instance signal.InstanceID
	Tell     func(context.Context, *signal.Distribution) error // durable on nil; on an error it is told again, under the same name
	Now      func() time.Time                                  // nil: time.Now
	Log      *slog.Logger                                      // nil: slog.Default

	Slot    time.Duration // slots end at multiples of it since the Unix epoch
	Horizon time.Duration // how long after its end a slot takes labels
	Memory  int64         // bytes of the index
	Disk    int64         // bytes of all files
	MinCell uint64        // groups of fewer predictions in a slot are held for a later one

	Baseline *signal.Baseline // says what predictions mean; nil: they are counted and not judged
	Digest   signal.Digest    // of the baseline
	Output   signal.FeatureName
}

// What entries cost, by estimate, and what waits for a prediction that is still
// on its way.
const (
	indexEntry   = 64 // bytes of memory for each prediction
	maxEarly     = 10_000
	earlyFor     = time.Minute
	flushAtBytes = 64 << 10
)

// Counts are a Join's running counts since it was opened, but for those that say
// what is there now.
type Counts struct {
	Waiting int64 // predictions that wait for their horizon, now
	Bytes   int64 // of the files, now
	Told    uint64

	Matched, Late, Unmatched, Refused uint64 // labels; refused: no room on disk

	MemoryFull, DiskFull, Unwritable, Damaged, Nameless uint64 // predictions that no label will find
}

// Join holds the predictions of one model. It is safe for concurrent use.
type Join struct {
	mu     sync.Mutex
	o      Options
	seed   maphash.Seed
	slots  map[string]*slot // by name of file
	index  map[uint64]*slot
	early  map[uint64]earlyLabel // labels of predictions that are not here yet
	held   heldGroups
	counts Counts
}

type earlyLabel struct {
	label signal.Label
	until time.Time
}

// Open reads what an earlier process has left in the folder.
func Open(o Options) (*Join, error) {
	const op, hint = "open the joined labels", "the state folder must be writable"
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return nil, errs.E(op, errs.Denied, err, hint)
	}
	j := &Join{o: o, seed: maphash.MakeSeed(), slots: map[string]*slot{}, index: map[uint64]*slot{}, early: map[uint64]earlyLabel{}}
	if err := j.readFolder(); err != nil {
		return nil, errs.E(op, errs.Denied, err, hint)
	}
	if err := wholefile.ReadJSON(j.heldPath(), &j.held); err != nil {
		o.Log.Error("small groups of joined labels are lost", "file", j.heldPath(), "error", err)
	}
	return j, nil
}

// Configure changes how the next predictions are kept, and how slots are counted.
func (j *Join) Configure(o Options) {
	j.mu.Lock()
	defer j.mu.Unlock()
	o.Folder, o.Model, o.Instance, o.Tell, o.Now, o.Log = j.o.Folder, j.o.Model, j.o.Instance, j.o.Tell, j.o.Now, j.o.Log
	j.o = o
}

// Add keeps predictions; it keeps nothing of the slice. What cannot be kept is
// counted.
func (j *Join) Add(predictions []signal.Prediction) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range predictions {
		j.add(&predictions[i])
	}
}

func (j *Join) add(p *signal.Prediction) {
	line := predictionLine(p)
	switch {
	case p.ID == "" || len(p.ID) > signal.MaxPredictionID:
		j.counts.Nameless++
		return
	case (j.counts.Waiting+1)*indexEntry > j.o.Memory:
		j.counts.MemoryFull++
		return
	case j.counts.Bytes+int64(len(line)) > j.o.Disk:
		j.counts.DiskFull++
		return
	}
	s := j.slotAt(p.Time)
	j.append(s, line)
	j.counts.Waiting++
	s.predictions++
	key := j.key(p.ID, p.Row)
	j.index[key] = s
	if e, ok := j.early[key]; ok {
		delete(j.early, key)
		if e.label.ID == p.ID && e.label.Row == p.Row && j.label(&e.label, key) == taken {
			j.counts.Matched++
		}
	}
}

// Label keeps labels with their predictions, and says on nil that those that have
// one are durable. One that has none yet waits for a minute, in memory: the answer
// may have come to its client before it came here. It gives how many found their
// prediction or may still.
func (j *Join) Label(labels []signal.Label) (found int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	touched := map[*slot]bool{}
	for i := range labels {
		l := labels[i]
		l.Received = j.o.Now().UTC()
		if l.Time.IsZero() {
			l.Time = l.Received
		}
		key := j.key(l.ID, l.Row)
		switch j.label(&l, key) {
		case taken:
			j.counts.Matched++
			found++
			touched[j.index[key]] = true
		case late:
			j.counts.Late++
		case full:
			j.counts.Refused++
		case unknown:
			if j.wait(key, l) {
				found++
			}
		}
	}
	for s := range touched {
		if failed := s.flush(true); failed != nil && err == nil {
			err = errs.E("keep labels", errs.Unavailable, failed, "is the disk of the state folder full?")
		}
	}
	return found, err
}

// wait keeps a label whose prediction is not here, for a while; false where too
// many do.
func (j *Join) wait(key uint64, l signal.Label) bool {
	if _, there := j.early[key]; !there && len(j.early) >= maxEarly {
		j.counts.Unmatched++
		return false
	}
	j.early[key] = earlyLabel{l, j.o.Now().Add(earlyFor)}
	return true
}

type place int

const (
	taken place = iota
	late
	full
	unknown
)

func (j *Join) label(l *signal.Label, key uint64) place {
	s := j.index[key]
	switch {
	case s == nil:
		return unknown
	case !j.o.Now().Before(s.end.Add(j.o.Horizon)):
		return late
	}
	line := labelLine(l)
	if j.counts.Bytes+int64(len(line)) > j.o.Disk+j.o.Disk/8 { // what predictions may not use is for labels
		return full
	}
	j.append(s, line)
	return taken
}

// Step writes what waits, and counts and tells the slots whose horizon is over,
// the oldest first. It stops at the first that cannot be told.
func (j *Join) Step(ctx context.Context) error {
	now := j.o.Now()
	j.flush(now)
	for s := j.due(now); s != nil; s = j.due(now) {
		if err := j.finish(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (j *Join) flush(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.slots {
		if err := s.flush(false); err != nil {
			j.unwritable(s, err)
		}
	}
	for key, e := range j.early {
		if now.After(e.until) {
			delete(j.early, key)
			j.counts.Unmatched++
		}
	}
}

// Counts gives the running counts.
func (j *Join) Counts() Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counts
}

// Close makes what is kept durable. It tells nothing: the next process does.
func (j *Join) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var first error
	for _, s := range j.slots {
		if err := s.flush(true); err != nil && first == nil {
			first = errs.E("keep joined labels", errs.Unavailable, err, "")
		}
	}
	return first
}

// key is what a prediction is found by. Two with one key are told apart by their
// names when the slot is counted; the label of the earlier one then finds nothing.
func (j *Join) key(id string, row uint32) uint64 {
	var h maphash.Hash
	h.SetSeed(j.seed)
	_, _ = h.WriteString(id) // never fails
	_, _ = h.Write([]byte{0, byte(row), byte(row >> 8), byte(row >> 16), byte(row >> 24)})
	return h.Sum64()
}
