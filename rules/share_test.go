package rules

import (
	"errors"
	"strings"
	"testing"
)

const shareRule = `pack: own
version: 1
rules:
  - id: OWN-01
    title: Errors
    monitors: share of failed requests
    method: {statistic: error rate, window: 1h, min_samples: 200, margin: 0.01}
    expr: sum by (evenkeel_model_name) (increase(failed[$window]))
    of: sum by (evenkeel_model_name) (increase(all[$window]))
    subject: [evenkeel_model_name]
    fail: "> 0.01"
    decide: confident
    every: 1m
    analysed: weekly
    responsible: {analyse: a, evaluate: b}
    on_fail: {opens: observation}
    refs: {iso42001: ["9.1"]}
`

func TestWindowReachesExpressions(t *testing.T) {
	file := write(t, "own.yaml", shareRule)
	overrides := write(t, "overrides.yaml", "overrides: [{system: loans, rule: OWN-01, window: 10s}]\n")
	var parsed []string
	set, err := Load(Options{Files: []string{file}, Overrides: overrides, Expression: func(e string) error {
		parsed = append(parsed, e)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	plain, own := set.Rule("", "OWN-01"), set.Rule("loans", "OWN-01")
	if plain.Of != "sum by (evenkeel_model_name) (increase(all[1h]))" || own.Expr != "sum by (evenkeel_model_name) (increase(failed[10s]))" {
		t.Errorf("expressions: %s, %s", plain.Of, own.Expr)
	}
	if plain.Digest == own.Digest {
		t.Error("two windows have one digest")
	}
	if text := strings.Join(parsed, "\n"); strings.Contains(text, "$window") || !strings.Contains(text, "increase(all[1h])") {
		t.Errorf("the parser was shown %s", text)
	}
}

func TestShareHasItsInterval(t *testing.T) {
	text := shareRule + "    samples: sum(all)\n    upper: vector(1)\n"
	_, err := Load(Options{Files: []string{write(t, "own.yaml", text)}})
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 2 {
		t.Fatalf("faults: %v", err)
	}
	for i, key := range []string{"rules[0].samples", "rules[0].upper"} {
		if !strings.Contains(faults[i], key+": of makes the value a share") {
			t.Errorf("fault %d: %s", i, faults[i])
		}
	}
}
