package rules

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

//go:embed packs/*.yaml
var packs embed.FS

// Options say which rules to load.
type Options struct {
	Packs     []string // names of shipped packs; empty means all of them
	Files     []string // rule files of one's own
	Overrides string   // a file of overrides; empty means none

	// Expression parses PromQL and says what is wrong with it (query.Check of
	// the collector). Nil: expressions are not looked into.
	Expression func(expr string) error
}

// Set is all rules that are loaded. Safe for concurrent use; never changes.
type Set struct {
	rules    []Rule       // by id
	plain    []*Effective // for systems without overrides, by id
	bySystem map[signal.SystemID][]*Effective
}

// Shipped names the packs that come with the program, sorted.
func Shipped() []string {
	entries, err := packs.ReadDir("packs")
	if err != nil {
		panic("embedded packs: " + err.Error()) // a build without them is broken
	}
	var out []string
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return out
}

// Load reads packs, files and overrides. Its error is of kind errs.Invalid and
// wraps Faults: every fault as file:line: path: what is wrong.
func Load(o Options) (*Set, error) {
	l := loader{options: o, rules: map[signal.RuleID]Rule{}, where: map[signal.RuleID]place{}}
	names := o.Packs
	if len(names) == 0 {
		names = Shipped()
	}
	for _, name := range names {
		raw, err := packs.ReadFile(path.Join("packs", name+".yaml"))
		if err != nil {
			l.faults = append(l.faults, fmt.Sprintf("packs: %q is not shipped; shipped are: %s", name, strings.Join(Shipped(), ", ")))
			continue
		}
		l.add("packs/"+name+".yaml", raw)
	}
	for _, file := range o.Files {
		if raw, ok := l.read(file); ok {
			l.add(file, raw)
		}
	}
	var overrides map[overrideKey]override
	if raw, ok := l.read(o.Overrides); ok {
		var faults []string
		overrides, faults = decodeOverrides(o.Overrides, raw, l.rules)
		l.faults = append(l.faults, faults...)
	}
	if len(l.faults) > 0 {
		return nil, errs.E("load rules", errs.Invalid, Faults(l.faults), "")
	}
	return newSet(l.rules, overrides), nil
}

func newSet(rules map[signal.RuleID]Rule, overrides map[overrideKey]override) *Set {
	set := &Set{bySystem: map[signal.SystemID][]*Effective{}}
	for _, id := range ruleIDs(rules) {
		rule := rules[signal.RuleID(id)]
		set.rules = append(set.rules, rule)
		set.plain = append(set.plain, newEffective(rule, nil))
	}
	for key := range overrides {
		if _, done := set.bySystem[key.system]; done {
			continue
		}
		var own []*Effective
		for _, e := range set.plain {
			if o, ok := overrides[overrideKey{key.system, e.ID}]; ok {
				e = newEffective(o.rule, o.keys)
			}
			own = append(own, e)
		}
		set.bySystem[key.system] = own
	}
	return set
}

// loader gathers rules and faults over several files.
type loader struct {
	options Options
	rules   map[signal.RuleID]Rule
	where   map[signal.RuleID]place
	faults  []string
}

func (l *loader) read(file string) ([]byte, bool) {
	if file == "" {
		return nil, false
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		l.faults = append(l.faults, err.Error())
	}
	return raw, err == nil
}

func (l *loader) add(name string, raw []byte) {
	found, faults := decodePack(name, raw, l.options.Expression)
	l.faults = append(l.faults, faults...)
	for _, r := range found {
		if first, twice := l.where[r.ID]; twice && r.ID != "" {
			l.faults = append(l.faults, fmt.Sprintf("%s:%d: %s: %s is already at %s:%d; ids are unique",
				name, r.at.at("id").line, r.at.at("id").path, r.ID, first.file, first.at("id").line))
			continue
		}
		l.rules[r.ID], l.where[r.ID] = r.Rule, r.at
	}
}

// Rules gives the rules as their packs state them, by id.
func (s *Set) Rules() []Rule { return slices.Clone(s.rules) }

// For gives the rules as they hold for a system, by id. The same pointers come
// back each time; they are not to be changed. The empty system means one
// without overrides.
func (s *Set) For(system signal.SystemID) []*Effective {
	if own, ok := s.bySystem[system]; ok {
		return own
	}
	return s.plain
}

// Rule finds one rule as it holds for a system; nil where it is not loaded.
func (s *Set) Rule(system signal.SystemID, id signal.RuleID) *Effective {
	for _, e := range s.For(system) {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// Lengths gives the distinct lengths of the windows over rows that a system's
// rules need, shortest first.
func (s *Set) Lengths(system signal.SystemID) []time.Duration {
	return s.lengths(system, Rows)
}

// Cohorts gives the distinct lengths of the labelled windows that a system's
// rules need, shortest first. A length may be among Lengths too: the two are
// windows of their own.
func (s *Set) Cohorts(system signal.SystemID) []time.Duration {
	return s.lengths(system, Labelled)
}

func (s *Set) lengths(system signal.SystemID, of Cohort) []time.Duration {
	var out []time.Duration
	for _, e := range s.For(system) {
		if e.Windowed() && e.Method.Cohort == of {
			out = append(out, e.Method.Window.Std())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Overridden gives the systems that have overrides, sorted.
func (s *Set) Overridden() []signal.SystemID {
	return slices.Sorted(maps.Keys(s.bySystem))
}
