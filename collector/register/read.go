package register

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// List gives the records that match, newest first.
func (r *Register) List(f model.RecordFilter) []model.RecordEntry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := []model.RecordEntry{}
	for _, p := range r.records {
		if matches(&f, &p.rec) {
			list = append(list, p.entry())
		}
	}
	slices.SortFunc(list, func(a, b model.RecordEntry) int { return strings.Compare(b.Record.Ref, a.Record.Ref) })
	return list
}

func matches(f *model.RecordFilter, rec *model.Record) bool {
	state := f.State == "" || f.State == rec.State || f.State == model.AnyOpen && !State(rec.State).Terminal()
	return state && (f.Kind == "" || f.Kind == rec.Kind) &&
		(f.Rule == "" || f.Rule == rec.Rule) && (f.System == "" || f.System == rec.System) &&
		(f.Condition == "" || f.Condition == rec.Condition)
}

// Get gives one record by ref or id, or an error of kind errs.NotFound.
func (r *Register) Get(name string) (model.RecordEntry, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, err := r.find(name)
	if err != nil {
		return model.RecordEntry{}, err
	}
	return p.entry(), nil
}

// Events gives a record's history, oldest first.
func (r *Register) Events(name string) ([]model.RegisterEvent, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, err := r.find(name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(p.events), nil
}

// At gives a record as it was right after one of its events.
func (r *Register) At(ev model.RegisterEvent) (model.Record, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, err := r.find(ev.Record)
	if err != nil {
		return model.Record{}, err
	}
	past := &projection{parts: map[string]string{}}
	for _, e := range p.events {
		if e.Seq > ev.Seq {
			break
		}
		if err := past.apply(e); err != nil {
			return model.Record{}, err
		}
	}
	return past.rec, nil
}

// Journal gives up to limit events of records from position after on, in the
// order they were appended, and a channel that is closed when there are more.
// Positions start at 0 and hold until the register is opened again.
func (r *Register) Journal(after, limit int) ([]model.RegisterEvent, <-chan struct{}) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	from := min(after, len(r.journal))
	to := min(from+limit, len(r.journal))
	return slices.Clone(r.journal[from:to]), r.grown
}

// Faults lists the chains that Open found broken.
func (r *Register) Faults() []model.ChainFault {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.faults)
}

// find looks a record up by ref or id. Holds mu.
func (r *Register) find(name string) (*projection, error) {
	if p := r.records[name]; p != nil {
		return p, nil
	}
	if p := r.byRef[name]; p != nil {
		return p, nil
	}
	return nil, errs.E("find record", errs.NotFound, fmt.Errorf("no record is called %q", name), "list them with: evenkeel nc list")
}

// entry copies what later events change in place.
func (p *projection) entry() model.RecordEntry {
	rec := p.rec
	rec.ModelVersions = slices.Clone(rec.ModelVersions)
	rec.Subject = maps.Clone(rec.Subject)
	return model.RecordEntry{Record: rec, Fault: p.fault}
}
