package join

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/wholefile"
	"github.com/evenkeel/evenkeel/signal"
)

// due gives the oldest slot whose horizon is over; nil: none.
func (j *Join) due(now time.Time) *slot {
	j.mu.Lock()
	defer j.mu.Unlock()
	var oldest *slot
	for _, s := range j.slots {
		if !now.Before(s.end.Add(j.o.Horizon)) && (oldest == nil || s.end.Before(oldest.end)) {
			oldest = s
		}
	}
	return oldest
}

// finish counts a slot, tells it, and lets it go. Nothing is added to a slot that
// is due; predictions of its time that come later make it anew, and are told as
// such: whoever adds parts takes the first.
func (j *Join) finish(ctx context.Context, s *slot) error {
	parts, told, err := j.count(s)
	if err != nil {
		return err
	}
	for _, d := range parts {
		if err := j.o.Tell(ctx, d); err != nil {
			return errs.E("tell how predictions turned out", errs.Unavailable, err, "")
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errs.E("remove a slot of joined labels", errs.Denied, err, "the state folder must be writable")
	}
	maps.DeleteFunc(j.index, func(_ uint64, of *slot) bool { return of == s })
	delete(j.slots, filepath.Base(s.path))
	j.counts.Waiting -= s.predictions
	j.counts.Bytes -= s.size
	j.counts.Told += told
	return nil
}

// count makes a part for each version that answered in the slot, and gives how
// many predictions are in them.
func (j *Join) count(s *slot) (parts []*signal.Distribution, told uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := s.flush(true); err != nil {
		return nil, 0, errs.E("write a slot of joined labels", errs.Unavailable, err, "is the disk of the state folder full?")
	}
	rows, labels, err := readSlot(s.path)
	if err != nil {
		return nil, 0, errs.E("read a slot of joined labels", errs.Unavailable, err, "")
	}
	cohorts := map[string]*signal.Cohort{}
	for i := range rows {
		p := &rows[i]
		c := cohorts[p.Version]
		if c == nil {
			c = j.newCohort()
			cohorts[p.Version] = c
		}
		row := p.row()
		if l, ok := labels[rowKey{p.ID, p.Row}]; ok {
			row.Label = &l
		}
		if c.Task == "" {
			c.AddUnjudged(countOne(row))
		} else {
			c.Add(j.o.Baseline, row)
		}
	}
	name := filepath.Base(s.path)
	for _, version := range slices.Sorted(maps.Keys(cohorts)) {
		c := cohorts[version]
		if !j.held.pass(name, version, c, j.o.MinCell) {
			j.o.Log.Warn("small groups of joined labels are lost: the baseline has changed", "version", version)
		}
		told += c.All.Predictions
		ref := signal.ModelRef{Name: j.o.Model, Version: version}
		parts = append(parts, signal.NewOutcomesPart(ref, j.o.Instance, s.start, s.end, j.o.Output, c))
	}
	if err := wholefile.ReplaceJSON(j.heldPath(), &j.held); err != nil {
		return nil, 0, errs.E("keep small groups of joined labels", errs.Unavailable, err, "is the disk of the state folder full?")
	}
	return parts, told, nil
}

func (j *Join) newCohort() *signal.Cohort {
	if j.o.Baseline != nil {
		if c, err := signal.NewCohort(j.o.Baseline, j.o.Digest); err == nil {
			return c
		}
	}
	return &signal.Cohort{} // nothing says what a prediction means
}

// countOne counts a row that nobody can judge.
func countOne(p *signal.LabelledPrediction) *signal.Outcomes {
	o := &signal.Outcomes{Predictions: 1}
	if p.Label != nil {
		o.Labelled = 1
	}
	return o
}

type rowKey struct {
	id  string
	row uint32
}

// readSlot gives the predictions of a file, in order, and the newest label of
// each: the one that became known last, of equally new ones the one received last.
func readSlot(path string) ([]keptPrediction, map[rowKey]signal.Label, error) {
	var rows []keptPrediction
	labels := map[rowKey]signal.Label{}
	_, err := readLines(path, func(l *line) {
		if l.Prediction != nil {
			rows = append(rows, *l.Prediction)
			return
		}
		key := rowKey{l.Label.ID, l.Label.Row}
		if before, ok := labels[key]; !ok || !newer(&before, l.Label) {
			labels[key] = signal.Label{ID: l.Label.ID, Row: l.Label.Row, Value: l.Label.Value, Time: l.Label.Time, Received: l.Label.Received}
		}
	})
	return rows, labels, err
}

func newer(a *signal.Label, b *keptLabel) bool {
	return a.Time.After(b.Time) || a.Time.Equal(b.Time) && a.Received.After(b.Received)
}

func (p *keptPrediction) row() *signal.LabelledPrediction {
	row := &signal.LabelledPrediction{Prediction: signal.Prediction{ID: p.ID, Row: p.Row, Value: p.Value, Score: math.NaN(), Groups: p.Groups, Time: time.Time{}}}
	if p.Score != nil {
		row.Score = *p.Score
	}
	return row
}
