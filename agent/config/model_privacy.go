package config

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Labels lets the agent join labels with the predictions itself, where single
// predictions or groups may not leave: only counts do.
type Labels struct {
	Join    bool            `yaml:"join"`    // take labels at POST /v1/labels of the admin port; not together with predictions.send
	Horizon config.Duration `yaml:"horizon"` // how long after a window's end labels are taken; 0: 24h
	Memory  config.Bytes    `yaml:"memory"`  // index of the predictions that wait; 0: 64MiB
	Disk    config.Bytes    `yaml:"disk"`    // files of the predictions that wait; 0: 1GiB
}

// What Labels leaves at 0.
const (
	defaultHorizon    = 24 * time.Hour
	defaultJoinMemory = 64 << 20
	defaultJoinDisk   = 1 << 30
)

// WithDefaults fills in what is 0.
func (l Labels) WithDefaults() Labels {
	if l.Horizon == 0 {
		l.Horizon = config.Duration(defaultHorizon)
	}
	if l.Memory == 0 {
		l.Memory = defaultJoinMemory
	}
	if l.Disk == 0 {
		l.Disk = defaultJoinDisk
	}
	return l
}

// Privacy says what of a request or an answer is used at all. It is applied
// before anything is counted, learnt or sent.
type Privacy struct {
	Drop  []signal.FeatureName `yaml:"drop"`  // inputs and outputs that are as if they were not there
	Allow []signal.FeatureName `yaml:"allow"` // the only inputs that are used; empty: all. Attributes with a source of their own are not asked
	Hash  Hash                 `yaml:"hash"`
}

// Hash replaces values by keyed digests, which are the same for the same value
// and key, and tell it to nobody who lacks the key.
type Hash struct {
	Features []signal.FeatureName `yaml:"features"` // whose values are replaced
	IDs      bool                 `yaml:"ids"`      // of requests, in predictions and their labels
	KeyFile  string               `yaml:"key_file"` // at least 16 bytes; white space around them does not count
}

// Used says whether anything is hashed.
func (h Hash) Used() bool { return len(h.Features) > 0 || h.IDs }

// Origin says where a protected attribute comes from that is no input: a header
// of the request, or a file beside the agent.
type Origin struct {
	Header string             `yaml:"header"` // the attribute of all rows of the request
	File   string             `yaml:"file"`   // CSV with a header, read again when it changes
	ID     signal.FeatureName `yaml:"id"`     // the input, and the file's column, that names the person; empty: the request's id, in the file's column id
}

// Given says that there is a source.
func (o Origin) Given() bool { return o != Origin{} }

func (m *Model) validatePrivacy(f *config.Faults) {
	l := f.At("labels")
	if m.Labels.Join && m.Predictions.Send {
		l.At("join").Add("not together with predictions.send: the collector joins predictions that are sent; keep one of the two")
	}
	if m.Labels.Horizon < 0 {
		l.At("horizon").Add("must not be negative; write for example 24h")
	}
	if m.Labels.Memory < 0 || m.Labels.Disk < 0 {
		l.Add("memory and disk must not be negative")
	}
	p := f.At("privacy")
	for i, name := range m.Privacy.Drop {
		at := p.At("drop").Index(i)
		switch {
		case name == "":
			at.Add("empty name")
		case name == m.Outcome.Output || name == m.Outcome.Score:
			at.Add("%q is what the model decides by; it cannot be dropped", name)
		case m.needsInput(name):
			at.Add("%q is a protected attribute or a group of predictions; take it out of there, or do not drop it", name)
		}
	}
	m.validateAllow(p.At("allow"))
	m.validateHash(p.At("hash"))
	for i := range m.Protected {
		m.Protected[i].From.validate(f.At("protected").Index(i).At("from"))
	}
}

func (m *Model) validateAllow(f *config.Faults) {
	if len(m.Privacy.Allow) == 0 {
		return
	}
	for i, name := range m.Privacy.Allow {
		if slices.Contains(m.Privacy.Drop, name) {
			f.Index(i).Add("%q is dropped as well; keep one of the two", name)
		}
	}
	for _, p := range m.Protected {
		if !p.From.Given() && !slices.Contains(m.Privacy.Allow, p.Attribute) {
			f.Add("the protected attribute %q is not listed", p.Attribute)
		}
	}
	for _, name := range m.Predictions.Groups {
		if m.Intersection(name) != nil {
			continue // its members are protected attributes, which are asked above
		}
		if m.needsInput(name) && !m.fromElsewhere(name) && !slices.Contains(m.Privacy.Allow, name) {
			f.Add("the group %q of predictions is not listed", name)
		}
	}
}

func (m *Model) validateHash(f *config.Faults) {
	h := m.Privacy.Hash
	if h.Used() && h.KeyFile == "" {
		f.At("key_file").Add("missing; write a random key to a file: openssl rand -hex 32")
	}
	for i, name := range h.Features {
		at := f.At("features").Index(i)
		switch {
		case name == "":
			at.Add("empty name")
		case name == m.Outcome.Output || name == m.Outcome.Score:
			at.Add("%q is what the model decides by; it cannot be hashed", name)
		case slices.Contains(m.Privacy.Drop, name):
			at.Add("%q is dropped as well; keep one of the two", name)
		}
	}
}

func (m *Model) fromElsewhere(name signal.FeatureName) bool {
	return slices.ContainsFunc(m.Protected, func(p Protected) bool { return p.Attribute == name && p.From.Given() })
}

// needsInput says that groups are told apart by an input.
func (m *Model) needsInput(name signal.FeatureName) bool {
	if m.fromElsewhere(name) {
		return false
	}
	return slices.Contains(m.Predictions.Groups, name) ||
		slices.ContainsFunc(m.Protected, func(p Protected) bool { return p.Attribute == name })
}

func (o *Origin) validate(f *config.Faults) {
	switch {
	case o.Header != "" && o.File != "":
		f.Add("has both header and file; keep one")
	case o.ID != "" && o.File == "":
		f.At("file").Add("missing; it holds the attributes by id")
	case strings.ContainsAny(o.Header, " \t\r\n:"):
		f.At("header").Add("%q is no header's name; write for example X-Group", o.Header)
	}
}

// privacyPaths are the files that a model's settings name here.
func (m *Model) privacyPaths() []*string {
	out := []*string{&m.Privacy.Hash.KeyFile}
	for i := range m.Protected {
		out = append(out, &m.Protected[i].From.File)
	}
	return out
}
