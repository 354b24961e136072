package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// packFile and ruleFile are the YAML as written. Limits, spans and durations
// stay text here, so that one bad value does not hide the other faults.
type packFile struct {
	Pack    string     `yaml:"pack"`
	Version int        `yaml:"version"`
	Rules   []ruleFile `yaml:"rules"`
}

type ruleFile struct {
	ID            string              `yaml:"id"`
	Title         string              `yaml:"title"`
	Monitors      string              `yaml:"monitors"`
	Method        methodFile          `yaml:"method"`
	Expr          string              `yaml:"expr"`
	SQL           string              `yaml:"sql"`
	Of            string              `yaml:"of"`
	Samples       string              `yaml:"samples"`
	Lower         string              `yaml:"lower"`
	Upper         string              `yaml:"upper"`
	Explain       string              `yaml:"explain"`
	Ended         string              `yaml:"ended"`
	Subject       []string            `yaml:"subject"`
	Fail          string              `yaml:"fail"`
	Warn          string              `yaml:"warn"`
	For           string              `yaml:"for"`
	KeepFiring    string              `yaml:"keep_firing_for"`
	Decide        string              `yaml:"decide"`
	Evaluate      string              `yaml:"evaluate"`
	Every         string              `yaml:"every"`
	Analysed      string              `yaml:"analysed"`
	Responsible   Responsible         `yaml:"responsible"`
	NoData        noDataFile          `yaml:"no_data"`
	OnFail        onFailFile          `yaml:"on_fail"`
	Accepts       string              `yaml:"accepts"`
	Refs          map[string][]string `yaml:"refs"`
	Effectiveness effectivenessFile   `yaml:"effectiveness"`
	Description   string              `yaml:"description"`
	Runbook       string              `yaml:"runbook"`
}

type methodFile struct {
	Statistic  string  `yaml:"statistic"`
	Window     string  `yaml:"window"`
	MinSamples uint64  `yaml:"min_samples"`
	Margin     float64 `yaml:"margin"`
	Reference  string  `yaml:"reference"`
	Cohort     string  `yaml:"cohort"`
}

type noDataFile struct {
	After  string `yaml:"after"`
	Opens  string `yaml:"opens"`
	Expect string `yaml:"expect"`
}

type onFailFile struct {
	Opens    string `yaml:"opens"`
	Severity string `yaml:"severity"`
	Requires string `yaml:"requires"`
}

type effectivenessFile struct {
	Window     string `yaml:"window"`
	MinSamples uint64 `yaml:"min_samples"`
}

var (
	packName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	ruleName = regexp.MustCompile(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$`)
)

// decodePack reads one rule file and gives its rules together with their
// places, and every fault: unknown keys, values that do not parse, and what
// clause 9.1 asks for and the rule leaves out.
func decodePack(name string, raw []byte, expression func(string) error) ([]placed, []string) {
	var faults []string
	var file packFile
	if err := config.Decode(name, raw, &file); err != nil {
		faults = append(faults, strings.Split(err.Error(), "\n")...)
	}
	root, err := rootOf(name, raw, &faults)
	if err != nil {
		return nil, faults // not YAML at all: the decoder has said so
	}
	if !packName.MatchString(file.Pack) {
		root.at("pack").fault("%q is not a pack's name; write for example iso42001-drift", file.Pack)
	}
	if file.Version < 1 {
		root.at("version").fault("%d; a pack's version is 1 or more", file.Version)
	}
	if len(file.Rules) == 0 {
		root.at("rules").fault("none; a pack holds at least one rule")
	}
	out := make([]placed, 0, len(file.Rules))
	for i := range file.Rules {
		at := root.at("rules").index(i)
		rule := file.Rules[i].parse(at)
		rule.Pack, rule.Version = file.Pack, file.Version
		rule.check(at)
		rule.checkExpressions(at, expression)
		out = append(out, placed{rule, at})
	}
	return out, faults
}

// placed is a rule and where it stands.
type placed struct {
	Rule
	at place
}

// parse turns the texts into values and reports those that do not parse.
func (f *ruleFile) parse(p place) Rule {
	r := Rule{
		ID: signal.RuleID(f.ID), Title: f.Title, Monitors: f.Monitors,
		Expr: strings.TrimSpace(f.Expr), SQL: strings.TrimSpace(f.SQL), Of: strings.TrimSpace(f.Of), Samples: strings.TrimSpace(f.Samples),
		Lower: strings.TrimSpace(f.Lower), Upper: strings.TrimSpace(f.Upper),
		Explain: strings.TrimSpace(f.Explain), Ended: strings.TrimSpace(f.Ended),
		Subject: f.Subject, Decide: Decide(f.Decide), Analysed: f.Analysed,
		Responsible: f.Responsible, Refs: f.Refs, Description: f.Description, Runbook: f.Runbook,
		OnFail: OnFail(f.OnFail), Accepts: f.Accepts,
		Method: Method{
			Statistic: f.Method.Statistic, MinSamples: f.Method.MinSamples,
			Margin: f.Method.Margin, Reference: f.Method.Reference, Cohort: Cohort(f.Method.Cohort),
			Window: parseDuration(p.at("method").at("window"), f.Method.Window),
		},
		Fail:  parseLimit(p.at("fail"), f.Fail),
		Warn:  parseLimit(p.at("warn"), f.Warn),
		For:   parseSpan(p.at("for"), f.For),
		Every: parseDuration(p.at("every"), f.Every),

		KeepFiring: parseDuration(p.at("keep_firing_for"), f.KeepFiring),
		NoData: NoDataPolicy{
			After: parseSpan(p.at("no_data").at("after"), f.NoData.After),
			Opens: f.NoData.Opens, Expect: parseExpect(f.NoData.Expect),
		},
		Effectiveness: EffectivenessCheck{
			Window:     parseDuration(p.at("effectiveness").at("window"), f.Effectiveness.Window),
			MinSamples: f.Effectiveness.MinSamples,
		},
	}
	if r.Decide == "" {
		r.Decide = Point
	}
	if r.NoData.Opens == "" {
		r.NoData.Opens = defaultNoDataOpens
	}
	if r.NoData.After == (Span{}) {
		r.NoData.After = Span{windows: defaultNoDataPeriod}
		if !r.Windowed() {
			r.NoData.After = Span{duration: defaultNoDataPeriod * r.Every.Std()}
		}
	}
	f.checkSchedule(p)
	return r
}

// checkSchedule asks for exactly one of the two ways to say when (9.1 c).
func (f *ruleFile) checkSchedule(p place) {
	switch {
	case f.Evaluate == "" && f.Every == "":
		p.at("evaluate").fault("missing: when is it measured (9.1 c)? Write \"evaluate: each window\" or, for a rule without windows, \"every: 15m\"")
	case f.Evaluate != "" && f.Every != "":
		p.at("every").fault("both evaluate and every are given; a rule goes by windows or by the wall clock")
	case f.Evaluate != "" && f.Evaluate != evaluateEachWindow:
		p.at("evaluate").fault("%q is not known; write \"each window\", or \"every: 15m\" in its place", f.Evaluate)
	}
}

func parseDuration(p place, text string) config.Duration {
	if text == "" {
		return 0
	}
	d, err := config.ParseDuration(text)
	if err != nil {
		p.fault("%v", err)
		return 0
	}
	if d <= 0 {
		p.fault("%q is not longer than nothing", text)
	}
	return d
}

func parseLimit(p place, text string) Limit {
	if !p.given() && text == "" {
		return Limit{}
	}
	l, err := ParseLimit(text)
	if err != nil {
		p.fault("%v", err)
	}
	return l
}

func parseSpan(p place, text string) Span {
	if text == "" {
		return Span{}
	}
	s, err := ParseSpan(text)
	if err != nil {
		p.fault("%v", err)
	}
	return s
}

// parseExpect leaves the default empty, so that a rule which writes it out has
// the digest of one that does not.
func parseExpect(text string) string {
	if text == ExpectAll {
		return ""
	}
	return text
}

func oneOf(p place, value string, known ...string) {
	if !slices.Contains(known, value) {
		p.fault("%q is not known; write one of: %s", value, strings.Join(known, ", "))
	}
}
