package config

import (
	"slices"

	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// LLM says what is looked for in what a language model answers. Only counts
// leave the agent.
type LLM struct {
	Detect  []detect.Detector `yaml:"detect"`  // empty: all; [none]: nothing is looked for
	Prompts bool              `yaml:"prompts"` // look at what was asked as well
}

// noDetector stands alone in Detect.
const noDetector detect.Detector = "none"

// Detectors gives those that are to look.
func (l LLM) Detectors() []detect.Detector {
	switch {
	case len(l.Detect) == 0:
		return detect.Detectors()
	case slices.Contains(l.Detect, noDetector):
		return nil
	}
	return l.Detect
}

// contentColumns hold what people and language models wrote. They are described
// and never told, so nothing may be grouped by them or be one of them.
var contentColumns = []signal.FeatureName{"prompt", "answer"}

func (m *Model) validateLLM(f *config.Faults) {
	at := f.At("llm").At("detect")
	if slices.Contains(m.LLM.Detect, noDetector) {
		if len(m.LLM.Detect) > 1 {
			at.Add("none stands beside others; keep one")
		}
	} else if _, err := detect.NewSet(m.LLM.Detect); err != nil {
		at.Add("%v", err)
	}
	if m.Protocol != "" && m.Protocol != "openai" && m.Protocol != "ollama" {
		return
	}
	const content = "%q is what is written to a language model or by it, which is never told; state a protocol if this model is none"
	check := func(f *config.Faults, name signal.FeatureName) {
		if slices.Contains(contentColumns, name) {
			f.Add(content, name)
		}
	}
	check(f.At("outcome").At("output"), m.Outcome.Output)
	for i, p := range m.Protected {
		check(f.At("protected").Index(i).At("attribute"), p.Attribute)
	}
	for i, name := range m.Predictions.Groups {
		check(f.At("predictions").At("groups").Index(i), name)
	}
}
