package probe

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/signal"
)

// Failure says why a case has no answer that could be compared.
type Failure string

// The failures.
const (
	Unreachable Failure = "unreachable" // no answer, or none to its end
	TimedOut    Failure = "timeout"
	Status      Failure = "status"      // not 2xx
	TooLarge    Failure = "too_large"   // the answer
	Undecodable Failure = "undecodable" // the answer is none of the model's protocol
)

// Failures lists all, so that each is counted from 0.
func Failures() []Failure { return []Failure{Unreachable, TimedOut, Status, TooLarge, Undecodable} }

// failure is the error of a case.
type failure struct {
	why Failure
	error
}

func failed(why Failure, err error) error { return &failure{why, err} }

// Unwrap gives the cause.
func (f *failure) Unwrap() error { return f.error }

// Account is what a prober has found out so far.
type Account struct {
	Digest   signal.Digest // of the cases
	Agreed   uint64        // cases answered as expected, since the start
	Differed uint64        // cases answered otherwise
	Failures map[Failure]uint64
	Seconds  float64   // that all cases together took, answered or not
	Rounds   uint64    // that came to their end
	Ended    time.Time // when the last of them did; zero: none has
	Took     time.Duration
	Last     []Result // of the last round, by version; empty: nothing was answered
}

// Result is how the cases of one round were answered by one version of the model.
type Result struct {
	Version  string
	Agreed   uint64
	Answered uint64
}

// Account gives a copy of the account as it is now.
func (p *Prober) Account() Account {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.account
	a.Failures, a.Last = maps.Clone(a.Failures), slices.Clone(a.Last)
	return a
}

// count adds one case to the totals.
func (p *Prober) count(agrees bool, took time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.account.Seconds += took.Seconds()
	var f *failure
	switch {
	case errors.As(err, &f):
		p.account.Failures[f.why]++
	case agrees:
		p.account.Agreed++
	default:
		p.account.Differed++
	}
}

// round is one round while it goes on.
type round struct {
	id       uuid.UUID
	begun    time.Time
	versions map[string]*Result
	differ   []string // ids of cases, the first few
	failures int
	failure  error // the first
	where    string
}

// maxNamed bounds the cases that the log names for one round.
const maxNamed = 10

func (r *round) failed(c *Case, err error) {
	if r.failures++; r.failure == nil {
		r.failure, r.where = err, c.ID
	}
}

func (r *round) answered(c *Case, version string, agrees bool) {
	v := r.versions[version]
	if v == nil {
		v = &Result{Version: version}
		r.versions[version] = v
	}
	v.Answered++
	switch {
	case agrees:
		v.Agreed++
	case len(r.differ) < maxNamed:
		r.differ = append(r.differ, c.ID)
	}
}

// finish puts a round in the place of the one before, and tells what was wrong
// in it, without any value.
func (p *Prober) finish(r *round) {
	p.mu.Lock()
	a := &p.account
	a.Rounds++
	a.Ended = p.o.Now()
	a.Took = a.Ended.Sub(r.begun)
	a.Last = a.Last[:0:0]
	for _, v := range r.versions {
		a.Last = append(a.Last, *v)
	}
	slices.SortFunc(a.Last, func(x, y Result) int { return cmp.Compare(x.Version, y.Version) })
	p.mu.Unlock()
	if r.failures > 0 {
		p.o.Log.Warn("known cases were not answered", "model", p.o.Model, "cases", len(p.o.Set.Cases), "failed", r.failures, "first", r.where, "error", r.failure)
	}
	if len(r.differ) > 0 {
		p.o.Log.Warn("known cases were answered otherwise than expected", "model", p.o.Model, "cases", len(p.o.Set.Cases), "first", r.differ)
	}
}
