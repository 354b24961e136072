package rules

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// overridesFile changes rules for one system without touching the pack:
//
//	overrides:
//	  - {system: loan-approval, rule: DRF-01, window: 10s, for: 1 window, fail: "> 0.25", min_samples: 100}
type overridesFile struct {
	Overrides []overrideFile `yaml:"overrides"`
}

// overrideFile's pointers tell "not given" from zero.
type overrideFile struct {
	System     string      `yaml:"system"`
	Rule       string      `yaml:"rule"`
	Window     string      `yaml:"window"`
	Every      string      `yaml:"every"`
	For        string      `yaml:"for"`
	Fail       string      `yaml:"fail"`
	Warn       string      `yaml:"warn"`
	MinSamples *uint64     `yaml:"min_samples"`
	Margin     *float64    `yaml:"margin"`
	NoData     *noDataFile `yaml:"no_data"`

	LawfulReasons []LawfulReason `yaml:"lawful_reasons"`
}

// override is what holds for one rule of one system.
type override struct {
	rule Rule
	keys []string // what was changed, sorted
}

type overrideKey struct {
	system signal.SystemID
	rule   signal.RuleID
}

// decodeOverrides applies a file of overrides to the rules that are loaded and
// checks every result as a rule of its own.
func decodeOverrides(name string, raw []byte, rules map[signal.RuleID]Rule) (map[overrideKey]override, []string) {
	var faults []string
	var file overridesFile
	if err := config.Decode(name, raw, &file); err != nil {
		faults = append(faults, strings.Split(err.Error(), "\n")...)
	}
	root, err := rootOf(name, raw, &faults)
	if err != nil {
		return nil, faults
	}
	out := map[overrideKey]override{}
	for i := range file.Overrides {
		f, at := &file.Overrides[i], root.at("overrides").index(i)
		if f.System == "" {
			at.at("system").fault("missing: for which system?")
		}
		rule, ok := rules[signal.RuleID(f.Rule)]
		if !ok {
			at.at("rule").fault("%q is not loaded; loaded are: %s", f.Rule, strings.Join(ruleIDs(rules), ", "))
			continue
		}
		key := overrideKey{signal.SystemID(f.System), rule.ID}
		if _, twice := out[key]; twice {
			at.fault("a second override of %s for %s; write one", rule.ID, f.System)
		}
		keys := f.apply(&rule, at)
		if len(keys) == 0 {
			at.fault("changes nothing; give window, every, for, fail, warn, min_samples, margin, no_data or lawful_reasons")
		}
		rule.check(at)
		out[key] = override{rule, keys}
	}
	return out, faults
}

// apply changes the rule and tells which keys it changed.
func (f *overrideFile) apply(r *Rule, p place) []string {
	var keys []string
	change := func(key string, given bool, set func(place)) {
		if given {
			keys = append(keys, key)
			set(p.at(key))
		}
	}
	change("window", f.Window != "", func(p place) { r.Method.Window = parseDuration(p, f.Window) })
	change("every", f.Every != "", func(p place) {
		if r.Windowed() {
			p.fault("%s goes by windows; change window in place of every", r.ID)
			return
		}
		r.Every = parseDuration(p, f.Every)
	})
	change("for", f.For != "", func(p place) { r.For = parseSpan(p, f.For) })
	change("fail", p.at("fail").given(), func(p place) { r.Fail = parseLimit(p, f.Fail) })
	change("warn", p.at("warn").given(), func(p place) { r.Warn = parseLimit(p, f.Warn) })
	change("min_samples", f.MinSamples != nil, func(place) { r.Method.MinSamples = *f.MinSamples })
	change("margin", f.Margin != nil, func(place) { r.Method.Margin = *f.Margin })
	change("no_data", f.NoData != nil, func(p place) {
		if f.NoData.After != "" {
			r.NoData.After = parseSpan(p.at("after"), f.NoData.After)
		}
		if f.NoData.Opens != "" {
			r.NoData.Opens = f.NoData.Opens
		}
		if f.NoData.Expect != "" {
			r.NoData.Expect = parseExpect(f.NoData.Expect)
		}
	})
	change("lawful_reasons", len(f.LawfulReasons) > 0, func(place) { r.LawfulReasons = f.LawfulReasons })
	slices.Sort(keys)
	return keys
}

func ruleIDs(rules map[signal.RuleID]Rule) []string {
	out := make([]string, 0, len(rules))
	for id := range rules {
		out = append(out, string(id))
	}
	slices.Sort(out)
	return out
}
