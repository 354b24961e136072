package rules

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// AcceptsLawfulReason lets a system declare why a group is not known: the law
// may forbid to ask. Only a rule about known groups accepts it.
const AcceptsLawfulReason = "lawful reason"

// labelProtected names the attribute that a lawful reason is about.
const labelProtected = "evenkeel_protected_attribute"

// LawfulReason is why a system does not know the groups of an attribute, as
// somebody declared it in an override. It is part of the rule's digest.
type LawfulReason struct {
	Attribute signal.FeatureName `json:"attribute,omitempty" yaml:"attribute"` // empty: every attribute, and a model of which none is known
	Reason    string             `json:"reason" yaml:"reason"`
	By        string             `json:"by" yaml:"by"`       // who declares it
	Until     string             `json:"until" yaml:"until"` // the last day on which it holds, UTC: 2027-12-31
}

// holds says that the reason has not run out by the end of a window.
func (l *LawfulReason) holds(at time.Time) bool {
	last, err := time.Parse(time.DateOnly, l.Until)
	return err == nil && !at.After(last.AddDate(0, 0, 1))
}

// Lawful gives the declared reason for not knowing what a window that ended at
// the given time lacks about a subject; nil where there is none. A reason for
// the subject's own attribute comes before one for all.
func (r *Rule) Lawful(subject map[string]string, at time.Time) *LawfulReason {
	for _, attribute := range slices.Compact([]string{subject[labelProtected], ""}) {
		for i := range r.LawfulReasons {
			if l := &r.LawfulReasons[i]; string(l.Attribute) == attribute && l.holds(at) {
				return l
			}
		}
	}
	return nil
}

// checkLawful asks for what makes a reason one that an auditor can follow up.
func (r *Rule) checkLawful(p place) {
	if r.Accepts != "" {
		oneOf(p.at("accepts"), r.Accepts, AcceptsLawfulReason)
		if !slices.Contains(r.Subject, labelProtected) {
			p.at("accepts").fault("a lawful reason is about an attribute, which the subject does not name: add %s", labelProtected)
		}
	}
	at := p.at("lawful_reasons")
	if len(r.LawfulReasons) > 0 && r.Accepts != AcceptsLawfulReason {
		at.fault("%s accepts none", r.ID)
	}
	for i := range r.LawfulReasons {
		l, at := &r.LawfulReasons[i], at.index(i)
		if l.Reason == "" {
			at.at("reason").fault("missing: which law or duty, and why?")
		}
		if l.By == "" {
			at.at("by").fault("missing: who declares it?")
		}
		if _, err := time.Parse(time.DateOnly, l.Until); err != nil {
			at.at("until").fault("%q is not a day; write for example 2027-12-31", l.Until)
		}
		for _, earlier := range r.LawfulReasons[:i] {
			if earlier.Attribute == l.Attribute {
				at.at("attribute").fault("a second reason for %q; write one", l.Attribute)
				break
			}
		}
	}
}
