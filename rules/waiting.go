package rules

import (
	_ "embed"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/evenkeel/evenkeel/signal"
)

//go:embed waiting.yaml
var waiting []byte

// Waiting is a rule of the catalogue that is not shipped yet.
type Waiting struct {
	ID       signal.RuleID `yaml:"id"`
	Monitors string        `yaml:"monitors"`  // what it will watch
	WaitsFor string        `yaml:"waits_for"` // the record or signal that is not there yet
}

// NotShipped gives the rules that are not shipped yet, in the order of the
// catalogue. Together with the shipped packs they are all of it.
func NotShipped() []Waiting {
	var out []Waiting
	if err := yaml.Unmarshal(waiting, &out); err != nil {
		panic("embedded rules/waiting.yaml: " + err.Error()) // a build with a broken one is broken
	}
	return slices.Clip(out)
}
