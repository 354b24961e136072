package register

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/evenkeel/evenkeel/collector/model"
)

// load takes in whole chains of events, in the store's order: by time, then
// record and seq. Of a chain that is known its beginning is passed over. Holds mu,
// but in Open, where nobody else has the register yet.
func (r *Register) load(events []model.RegisterEvent) {
	chains := map[string][]model.RegisterEvent{}
	for _, ev := range events {
		chains[ev.Record] = append(chains[ev.Record], ev)
	}
	broken := map[string]*model.ChainFault{}
	known, passed := maps.Clone(r.held), map[string]uint64{}
	for _, ev := range events {
		if passed[ev.Record]++; passed[ev.Record] <= known[ev.Record] {
			continue
		}
		if chain := chains[ev.Record]; chain != nil {
			if fault := Verify(chain); fault != nil {
				broken[ev.Record] = fault
				r.report(*fault)
			}
			delete(chains, ev.Record)
		}
		if err := r.fold(ev); err != nil && broken[ev.Record] == nil {
			fault := &model.ChainFault{Record: ev.Record, Seq: ev.Seq, Reason: err.Error()}
			broken[ev.Record] = fault
			r.report(*fault)
		}
	}
	for record, fault := range broken {
		if p := r.records[record]; p != nil {
			p.fault = fault
		}
	}
}

func (r *Register) report(f model.ChainFault) {
	r.faults = append(r.faults, f)
	r.opts.Log.Error("the register's evidence was changed or is incomplete",
		"record", f.Record, "seq", f.Seq, "reason", f.Reason)
}

// fold adds an event to what is known and keeps the indexes. Holds mu, but in
// Open, where nobody else has the register yet.
func (r *Register) fold(ev model.RegisterEvent) error {
	r.held[ev.Record]++
	r.size++
	if ev.Type == EventApproved {
		return r.foldApproval(ev)
	}
	if aboutDeployment(ev.Type) {
		return r.foldDeployment(ev)
	}
	if !aboutRecord(ev.Type) {
		return r.foldBaseline(ev)
	}
	p := r.records[ev.Record]
	if p == nil {
		p = &projection{parts: map[string]string{}}
		r.records[ev.Record] = p
	}
	r.journal = append(r.journal, ev)
	if err := p.apply(ev); err != nil {
		return err
	}
	if ev.Type == EventOpened {
		r.byRef[p.rec.Ref] = p
		r.noteRef(p.rec.Ref)
	}
	if State(p.rec.State).Terminal() {
		if r.open[p.rec.DedupKey] == p {
			delete(r.open, p.rec.DedupKey)
		}
	} else if p.rec.DedupKey != "" {
		r.open[p.rec.DedupKey] = p
	}
	var about struct {
		Measured Measured `json:"measured"`
	}
	if json.Unmarshal(ev.Data, &about) == nil && about.Measured.Evaluation != "" {
		r.seen[about.Measured.Evaluation] = struct{}{}
	}
	return nil
}

// noteRef keeps the highest number of a year.
func (r *Register) noteRef(ref string) {
	var year, n int
	if _, err := fmt.Sscanf(ref, "NC-%d-%d", &year, &n); err == nil {
		r.lastRef[year] = max(r.lastRef[year], n)
	}
}

// nextRef gives the reference of the next record of a year.
func (r *Register) nextRef(year int) string {
	return fmt.Sprintf("NC-%04d-%05d", year, r.lastRef[year]+1)
}
