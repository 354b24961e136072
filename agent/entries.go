package agent

import (
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// An entry of the configuration is a model, or one stage or route of it. Several
// may share what a decoder sees as one model: their URL, and how bodies are read.
//
//	request -> decoder: key -> by host -> entry
//	                        -> shared: by the model in the body, when it is decoded -> entry
//
// A key is the name of the first entry that has it.

// selection tells entries apart that share a key.
type selection struct {
	keys   map[string]string       // of each entry
	byKey  map[string][]*monitored // entries in order of the configuration
	shared map[string]bool         // keys whose entries only the body tells apart
}

// sharedKey begins the keys of URLs that name no model and are of several; no
// model's name holds a semicolon.
const sharedKey = ";"

// newSelection sorts entries by what a decoder sees of them.
func newSelection(models []monitored) *selection {
	s := &selection{keys: map[string]string{}, byKey: map[string][]*monitored{}, shared: map[string]bool{}}
	several, hosted := map[string]bool{}, map[string]bool{} // by URL of language models
	seen := map[string]bool{}
	for i := range models {
		m := &models[i]
		several[m.url()] = several[m.url()] || seen[m.url()] || m.Match.BodyModel != ""
		hosted[m.url()] = hosted[m.url()] || m.Match.Host != ""
		seen[m.url()] = true
	}
	firstAt := map[string]string{} // entries by path
	for i := range models {
		m := &models[i]
		key := m.asked
		switch {
		case m.Generates() && several[m.url()]:
			key = sharedKey + m.url()
			s.shared[key] = !hosted[m.url()]
		case m.Path != "":
			if firstAt[m.Path] == "" {
				firstAt[m.Path] = m.Name
			}
			key = firstAt[m.Path]
		}
		s.keys[m.Name] = key
		s.byKey[key] = append(s.byKey[key], m)
	}
	for i := range models { // some URLs of language models name the model all the same
		if m := &models[i]; strings.HasPrefix(s.keys[m.Name], sharedKey) && m.Path == "" && s.byKey[m.asked] == nil {
			s.byKey[m.asked] = []*monitored{m}
		}
	}
	return s
}

// url tells the URLs of language models apart, which name no model.
func (m *monitored) url() string { return m.Protocol + m.Path }

// wireModels is what the decoder is to know, by key.
func (s *selection) wireModels() map[string]wire.Model {
	out := map[string]wire.Model{}
	for key, entries := range s.byKey {
		m := wireModel(&entries[0].Model)
		m.Shared = strings.HasPrefix(key, sharedKey) && m.Path == ""
		out[key] = m
	}
	return out
}

// checkEntries reports entries that share a key and are read in two ways, or that
// nothing tells apart.
func checkEntries(models []monitored, f *config.Faults) {
	s := newSelection(models)
	place := map[*monitored]int{}
	for i := range models {
		place[&models[i]] = i
	}
	for i := range models {
		m, at, where := &models[i], f.Index(i), "its URL"
		if m.Path != "" {
			at, where = at.At("path"), strconv.Quote(m.Path)
		}
		key := s.keys[m.Name]
		for _, other := range s.byKey[key] {
			if other == m {
				break
			}
			switch {
			case other.Name == m.Name: // reported already
			case s.shared[key] && other.OwnBodyModel() == m.OwnBodyModel(),
				!s.shared[key] && other.Match.Host == m.Match.Host:
				at.Add("%s is also that of models[%d], and nothing tells the two apart; set path, match.host or, of a language model, match.body_model", where, place[other])
			case !reflect.DeepEqual(wireModel(&other.Model), wireModel(&m.Model)):
				at.Add("%s is also that of models[%d], which is read in another way; give both the same protocol, inputs and outputs", where, place[other])
			}
		}
	}
}

// byHost finds the entry of a request at a key that is not shared; a host of its
// own goes before any host.
func (s *selection) byHost(key, host string) (name string, ok bool) {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(host)
	for _, m := range s.byKey[key] {
		if m.Match.Host != "" && like(strings.ToLower(m.Match.Host), host) {
			return m.Name, true
		}
	}
	return s.anyHost(key)
}

// anyHost finds the entry at a key that asks for no host.
func (s *selection) anyHost(key string) (name string, ok bool) {
	for _, m := range s.byKey[key] {
		if m.Match.Host == "" {
			return m.Name, true
		}
	}
	return "", false
}

// byBody finds the entry of a model that a body names; a name of its own goes
// before a pattern.
func (s *selection) byBody(key, model string) (name string, ok bool) {
	for _, m := range s.byKey[key] {
		if m.OwnBodyModel() == model {
			return m.Name, true
		}
	}
	for _, m := range s.byKey[key] {
		if like(m.OwnBodyModel(), model) {
			return m.Name, true
		}
	}
	return "", false
}

// like says whether a text is of a pattern, in which * stands for any text.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// rename gives an observation the entry's name: the decoder knows the key. A
// version that only repeats the model's name is none.
func (m *monitored) rename(obs *signal.Observation) {
	obs.Model.Name = m.Name
	if obs.Model.Version == m.asked {
		obs.Model.Version = ""
	}
}

// entryOf finds whose a request is: an entry, or a key that several share.
func (p *plan) entryOf(key string, r *http.Request) (name string, ok bool) {
	if key == "" || p.entries.shared[key] { // of a gRPC call the message tells, of a language model the body
		return key, true
	}
	return p.entries.byHost(key, r.Host)
}

// namedEntry finds the entry that somebody calls by a model's name who knows of no
// routes: that of this name, else the only one of the model.
func (p *plan) namedEntry(name string) (entry string, ok bool) {
	if p.byName[name] != nil {
		return name, true
	}
	for i := range p.models {
		if p.models[i].asked != name {
			continue
		}
		if ok {
			return "", false
		}
		entry, ok = p.models[i].Name, true
	}
	return entry, ok
}

// isShared says that a key is of several entries, whose names are not known yet.
func (a *Agent) isShared(key string) bool { return a.plan().entries.shared[key] }

// windowOf gives the settings of a model's windows.
func (m *monitored) windowOf(c *agentconfig.Config) agentconfig.Window {
	return m.Model.Window.Over(c.Window)
}

// serverLabel names a model as the model server does: by the only entry of it, where
// there is one.
func (a *Agent) serverLabel(model string) export.Label {
	if entry, ok := a.plan().namedEntry(model); ok {
		model = entry
	}
	return modelLabel(model)
}
