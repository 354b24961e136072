package window

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// Set holds the profilers of all models of an agent and gives each observation
// to the one of its model version. It is safe for concurrent use.
type Set struct {
	models map[string]*modelProfilers
	order  []string // names, as configured
	length time.Duration
	clock  func() time.Time
}

// modelProfilers are the profilers of one model's versions.
type modelProfilers struct {
	mu      sync.Mutex
	options Options // the template; Model.Version is set where the version is pinned
	account *account
	live    []*versionProfiler
}

type versionProfiler struct {
	*Profiler
	requests uint64 // totals when they were last looked at
	windows  uint64
	silent   uint64 // windows since the version had a request
}

// maxVersions bounds the versions of one model that are profiled at once; a
// response may claim any version.
const maxVersions = 16

// silentWindows is after how many windows without a request a version is
// retired, if another version of its model has had one since: a rollout is
// over, and the old version's silence means nothing.
const silentWindows = 3

// NewSet makes the profilers of all models. A model without a version begins
// with the version that had a window last, so that silence after a restart is
// seen; if none ever had, with the first request. All models have the same
// Length and Clock.
func NewSet(models []Options) (*Set, error) {
	if len(models) == 0 {
		return nil, errors.New("window: no models")
	}
	s := &Set{models: map[string]*modelProfilers{}}
	for _, o := range models {
		o = o.withDefaults()
		if err := o.validate(); err != nil {
			return nil, err
		}
		if s.models[o.Model.Name] != nil {
			return nil, fmt.Errorf("window: model %s is configured twice", o.Model.Name)
		}
		m := &modelProfilers{options: o, account: &account{read: o.Capture}}
		version, known := o.Model.Version, o.Model.Version != ""
		if !known {
			version, known = o.Sequences.LastVersion(o.Model.Name)
		}
		if known {
			if _, err := m.profiler(version, o.Clock()); err != nil {
				return nil, err
			}
		}
		s.models[o.Model.Name] = m
		s.order = append(s.order, o.Model.Name)
		s.length, s.clock = o.Length, o.Clock
	}
	return s, nil
}

// Observe counts an observation; false where its model is not configured or
// has too many versions.
func (s *Set) Observe(obs *signal.Observation) bool {
	m := s.models[obs.Model.Name]
	if m == nil {
		return false
	}
	for {
		p, err := m.profiler(obs.Model.Version, obs.Time)
		if err != nil {
			m.options.Log.Warn("model version not profiled", "model", obs.Model.String(), "error", err)
			return false
		}
		if p.observe(obs) {
			return true
		} // it was retired since; another one takes its place
	}
}

// profiler finds the profiler of a version, or makes it; then its first window
// holds the instant at which the version was seen.
func (m *modelProfilers) profiler(version string, seen time.Time) (*Profiler, error) {
	if pinned := m.options.Model.Version; pinned != "" {
		version = pinned
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range m.live {
		if v.o.Model.Version == version {
			return v.Profiler, nil
		}
	}
	if len(m.live) >= maxVersions {
		return nil, fmt.Errorf("%d versions are profiled already", maxVersions)
	}
	o := m.options
	o.Model.Version = strings.Clone(version) // the observation's may alias a buffer
	p, err := newProfiler(o, m.account)
	if err != nil {
		return nil, err
	}
	p.reach(seen)
	m.live = append(m.live, &versionProfiler{Profiler: p})
	return p, nil
}

// Profilers lists the live profilers, by model as configured.
func (s *Set) Profilers() []*Profiler {
	var out []*Profiler
	for _, name := range s.order {
		out = append(out, s.models[name].profilers()...)
	}
	return out
}

func (m *modelProfilers) profilers() []*Profiler {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]*Profiler, 0, len(m.live))
	for _, v := range m.live {
		out = append(out, v.Profiler)
	}
	return out
}

// Run closes windows when their time has come, until ctx is done. It does not
// flush: the owner does that when the last request has been counted.
func (s *Set) Run(ctx context.Context) {
	if s.length == 0 {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			s.tick()
			now := s.clock()
			timer.Reset(nextBoundary(now, s.length).Sub(now))
		}
	}
}

func (s *Set) tick() {
	for _, name := range s.order {
		m := s.models[name]
		for _, p := range m.profilers() {
			p.o.Guard.Run(partWindows, func() { p.Tick() })
		}
		m.options.Guard.Run(partWindows, m.retire)
	}
}

// retire lets go of versions that a rollout has replaced.
func (m *modelProfilers) retire() {
	m.mu.Lock()
	defer m.mu.Unlock()
	active := false
	for _, v := range m.live {
		t := v.Totals()
		if t.Requests > v.requests {
			v.silent = 0
		} else {
			v.silent += t.Windows - v.windows
		}
		v.requests, v.windows = t.Requests, t.Windows
		active = active || v.silent == 0
	}
	if !active {
		return
	}
	m.live = slices.DeleteFunc(m.live, func(v *versionProfiler) bool {
		if v.silent >= silentWindows && v.retire() {
			m.options.Log.Info("model version retired: another one answers", "model", v.o.Model.String())
			return true
		}
		return false
	})
}

// retire stops counting; false where the open window holds a request.
func (p *Profiler) retire() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = p.requests == 0
	return p.retired
}

// Flush closes the open window of every profiler.
func (s *Set) Flush() {
	for _, p := range s.Profilers() {
		p.o.Guard.Run(partWindows, p.Flush)
	}
}
