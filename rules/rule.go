package rules

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

// Rule is one requirement as its pack states it, checked and parsed. It is
// never changed after Load.
type Rule struct {
	Pack          string              `json:"pack"`
	Version       int                 `json:"version"` // the pack's major version
	ID            signal.RuleID       `json:"id"`
	Title         string              `json:"title"`
	Monitors      string              `json:"monitors"`      // what (9.1 a)
	Method        Method              `json:"method"`        // how (9.1 b)
	Expr          string              `json:"expr"`          // PromQL; yields the value of every subject
	SQL           string              `json:"sql,omitempty"` // in place of Expr, for what is no time series: see checkSQL
	Of            string              `json:"of,omitempty"`  // PromQL; Expr counts a part of it: the value is their share, with Wilson's interval
	Samples       string              `json:"samples,omitempty"`
	Lower         string              `json:"lower,omitempty"`
	Upper         string              `json:"upper,omitempty"`
	Explain       string              `json:"explain,omitempty"` // PromQL; of the columns that it yields, the largest are named where the subject names none
	Ended         string              `json:"ended,omitempty"`   // PromQL; yields subjects that have ended and are not expected any more
	Subject       []string            `json:"subject"`           // labels that name the subject
	Fail          Limit               `json:"fail"`
	Warn          Limit               `json:"warn"`
	For           Span                `json:"for"`                      // how long a fail lasts before it fires
	KeepFiring    config.Duration     `json:"keep_firing_for,omitzero"` // how long a fail goes on firing after the last one
	Decide        Decide              `json:"decide"`
	Every         config.Duration     `json:"every"`    // 0: at each sealed window
	Analysed      string              `json:"analysed"` // when (9.1 d): daily, weekly, monthly, quarterly, yearly, on fail
	Responsible   Responsible         `json:"responsible"`
	NoData        NoDataPolicy        `json:"no_data"`
	OnFail        OnFail              `json:"on_fail"`
	Accepts       string              `json:"accepts,omitempty"` // AcceptsLawfulReason: an override may declare why a group is not known
	LawfulReasons []LawfulReason      `json:"lawful_reasons,omitempty"`
	Refs          map[string][]string `json:"refs"` // framework to clauses
	Effectiveness EffectivenessCheck  `json:"effectiveness"`
	Description   string              `json:"description,omitempty"`
	Runbook       string              `json:"runbook,omitempty"`
}

// Method says how the value is measured.
type Method struct {
	Statistic  string          `json:"statistic"`
	Window     config.Duration `json:"window"` // length of a window; for rules by the wall clock, how far they look back
	MinSamples uint64          `json:"min_samples"`
	Margin     float64         `json:"margin"` // confident only: an interval narrower than this on either side is precise enough to pass
	Reference  string          `json:"reference,omitempty"`
	Cohort     Cohort          `json:"cohort,omitempty"`
}

// Cohort says what the windows of a rule hold.
type Cohort string

// The two kinds of windows.
const (
	Rows     Cohort = ""         // what was served in the window, judged when the window is sealed
	Labelled Cohort = "labelled" // predictions made in the window with the labels that came by its horizon, judged then
)

// Decide says what the limits are held against.
type Decide string

// The two ways to decide.
const (
	Point     Decide = "point"     // the value
	Confident Decide = "confident" // the interval: a fail only where it excludes every allowed value
)

// Responsible names roles (5.3).
type Responsible struct {
	Analyse  string `json:"analyse" yaml:"analyse"`
	Evaluate string `json:"evaluate" yaml:"evaluate"`
}

// What a verdict opens.
const (
	OpensObservation    = "observation"
	OpensNonconformity  = "nonconformity"
	OpensIncident       = "incident"
	RequiresCriterion   = "approved criterion"
	frameworkISO42001   = "iso42001"
	evaluateEachWindow  = "each window"
	labelSystem         = "evenkeel_system_id"
	labelModel          = "evenkeel_model_name"
	labelModelVersion   = "evenkeel_model_version"
	defaultNoDataOpens  = OpensObservation
	defaultNoDataPeriod = 3 // windows
)

// NoDataPolicy says what silence leads to.
type NoDataPolicy struct {
	After  Span   `json:"after"`            // default 3 windows
	Opens  string `json:"opens"`            // default observation
	Expect string `json:"expect,omitempty"` // empty means ExpectAll
}

// Whose silence counts, beside that of subjects which had a value before.
const (
	ExpectAll  = "all"  // every model and declared system: each has what the rule is about
	ExpectSeen = "seen" // none: what the rule has never had a value of has not what it is about
)

// OnFail says what a fail leads to.
type OnFail struct {
	Opens    string `json:"opens"`
	Severity string `json:"severity,omitempty"` // major or minor, of nonconformities
	Requires string `json:"requires,omitempty"` // "approved criterion": until then a fail opens an observation
}

// EffectivenessCheck is the default window over which a correction is proved.
type EffectivenessCheck struct {
	Window     config.Duration `json:"window"`
	MinSamples uint64          `json:"min_samples"`
}

// Windowed says that the rule is evaluated at each sealed window, not by the
// wall clock.
func (r *Rule) Windowed() bool { return r.Every == 0 }

// Labelled says that the rule is evaluated at windows over predictions and
// their labels, not at those over rows.
func (r *Rule) Labelled() bool { return r.Method.Cohort == Labelled }

// Step is the time between two evaluations.
func (r *Rule) Step() time.Duration {
	if r.Windowed() {
		return r.Method.Window.Std()
	}
	return r.Every.Std()
}

// Group is the pack's name without its framework: drift, fairness, logging.
func (r *Rule) Group() string {
	if _, group, ok := strings.Cut(r.Pack, "-"); ok {
		return group
	}
	return r.Pack
}

// When says in words when the rule is evaluated.
func (r *Rule) When() string {
	switch {
	case r.Labelled():
		return "each labelled window of " + r.Method.Window.String()
	case r.Windowed():
		return "each window of " + r.Method.Window.String()
	}
	return "every " + r.Every.String()
}

// Effective is a rule as it holds for one system: overrides applied.
type Effective struct {
	Rule
	Overridden []string      // the keys that an override changed, sorted
	Digest     signal.Digest // of the rule's canonical JSON, overrides applied
}

func newEffective(r Rule, overridden []string) *Effective {
	r = r.withWindow()
	digest, err := canonical.Digest(r)
	if err != nil {
		panic("digest of a checked rule: " + err.Error()) // no NaN, no infinity: cannot happen
	}
	return &Effective{Rule: r, Overridden: overridden, Digest: signal.Digest(digest)}
}
