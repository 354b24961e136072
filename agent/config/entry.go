package config

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Match says which of the requests for a model an entry is about, where the URL
// says too little. Patterns are texts in which * stands for any text.
type Match struct {
	Host      string `yaml:"host"`       // pattern of the host that the request names, without a port; empty: any
	BodyModel string `yaml:"body_model"` // pattern of the member model of a language model's request; empty: the entry's name, where several share a URL
}

// Given says that an entry is about some requests only.
func (m Match) Given() bool { return m != Match{} }

// ModelWindow is what a model has of its own of Window.
type ModelWindow struct {
	Length config.Duration `yaml:"length"` // 0: the agent's
	Count  *uint64         `yaml:"count"`  // null: the agent's
}

// Over gives the agent's settings with the model's own.
func (w ModelWindow) Over(agent Window) Window {
	if w.Length != 0 {
		agent.Length = w.Length
	}
	if w.Count != nil {
		agent.Count = *w.Count
	}
	return agent
}

// Entry names what is monitored: the model, or its stage or route.
func (m *Model) Entry() string {
	return signal.Entry{Model: m.Name, Stage: m.Stage, Route: m.Route}.Name()
}

// OwnBodyModel is the pattern of the models in bodies that the entry is about.
func (m *Model) OwnBodyModel() string {
	if m.Match.BodyModel != "" {
		return m.Match.BodyModel
	}
	return m.Name
}

// Generates says that the model is asked by the protocol of a language model, whose
// requests name it in the body.
func (m *Model) Generates() bool { return m.Protocol == "openai" || m.Protocol == "ollama" }

func (m *Model) validateEntry(f *config.Faults) {
	if strings.Contains(m.Name, ";") {
		f.At("name").Add("%q holds a semicolon, by which stages and routes are told apart", m.Name)
	}
	if m.Stage != "" && m.Stage != signal.StageTransformed {
		f.At("stage").Add("%q is none; write %s, or leave it out for inputs as they come", m.Stage, signal.StageTransformed)
	}
	if strings.ContainsFunc(m.Route, notOfRoute) || len(m.Route) > 64 {
		f.At("route").Add("%q is no name of a route; use up to 64 letters, digits, dots, dashes and underscores", m.Route)
	}
	if m.Match.BodyModel != "" && !m.Generates() {
		f.At("match").At("body_model").Add("is for protocol openai or ollama, whose requests name the model in the body")
	}
	if m.Match.BodyModel != "" && m.Match.Host != "" {
		f.At("match").Add("has both host and body_model; keep one")
	}
	if strings.HasSuffix(m.Protocol, "_grpc") && m.Match.Host != "" {
		f.At("match").At("host").Add("is not looked at in gRPC calls")
	}
	if m.Window.Length < 0 {
		f.At("window").At("length").Add("must not be negative; write for example 10m")
	}
}

func notOfRoute(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !slices.Contains([]rune{'.', '-', '_'}, c)
}
