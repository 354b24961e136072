package rules

import (
	"regexp"
	"strings"
)

var selects = regexp.MustCompile(`(?is)^(SELECT|WITH)\s`)

// checkSQL asks for one SELECT in place of PromQL. What the statement means is
// the store's to say when it runs.
func (r *Rule) checkSQL(p place) {
	if r.SQL == "" {
		return
	}
	at := p.at("sql")
	if r.Expr != "" {
		at.fault("both expr and sql are given; a rule has its value from one of them")
	}
	if !selects.MatchString(r.SQL) || strings.Contains(r.SQL, ";") {
		at.fault("one statement that begins with SELECT or WITH, without a semicolon")
	}
	for _, e := range []struct{ key, text string }{
		{"of", r.Of}, {"samples", r.Samples}, {"lower", r.Lower}, {"upper", r.Upper},
	} {
		if e.text != "" {
			p.at(e.key).fault("of sql they are columns: samples, lower, upper, or part and whole")
		}
	}
}
