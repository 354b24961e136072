package config

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/detect"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

func TestDetectorsOfAModel(t *testing.T) {
	if got := (LLM{}).Detectors(); len(got) != len(detect.Detectors()) {
		t.Errorf("nothing said: %v", got)
	}
	if got := (LLM{Detect: []detect.Detector{"none"}}).Detectors(); got != nil {
		t.Errorf("none: %v", got)
	}
	if got := (LLM{Detect: []detect.Detector{detect.Card}}).Detectors(); len(got) != 1 {
		t.Errorf("one: %v", got)
	}
}

// What is written to a language model or by it cannot become a value that leaves.
func TestContentIsNoOutcomeAndNoGroup(t *testing.T) {
	for name, c := range map[string]struct {
		model Model
		want  string // in the fault; empty: there is none
	}{
		"an outcome":         {Model{Outcome: Outcome{Output: "answer"}}, "models.outcome.output: \"answer\""},
		"with its protocol":  {Model{Protocol: "ollama", Outcome: Outcome{Output: "prompt"}}, "outcome.output"},
		"an attribute":       {Model{Protocol: "openai", Protected: []Protected{{Attribute: "prompt"}}}, "protected[0].attribute"},
		"a group":            {Model{Predictions: Predictions{Groups: []signal.FeatureName{"x", "answer"}}}, "predictions.groups[1]"},
		"no language model":  {Model{Protocol: "oip", Outcome: Outcome{Output: "answer"}}, ""},
		"another outcome":    {Model{Outcome: Outcome{Output: "finish_reason"}}, ""},
		"no such detector":   {Model{LLM: LLM{Detect: []detect.Detector{"mail"}}}, "llm.detect: detector \"mail\" is not known"},
		"none beside others": {Model{LLM: LLM{Detect: []detect.Detector{"none", "email"}}}, "llm.detect: none"},
		"none":               {Model{LLM: LLM{Detect: []detect.Detector{"none"}}}, ""},
	} {
		f := config.NewFaults("agent.yaml")
		c.model.validateLLM(f.At("models"))
		err := f.Err()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
