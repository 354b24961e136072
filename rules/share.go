package rules

import "strings"

// windowWord stands in an expression for the length of the rule's window.
const windowWord = "$window"

// inWindow puts the length of the rule's window in the place of windowWord, so
// that an override of the window reaches the ranges of an expression.
func (r *Rule) inWindow(expr string) string {
	return strings.ReplaceAll(expr, windowWord, r.Method.Window.String())
}

// withWindow gives the rule with its window's length in every expression.
func (r Rule) withWindow() Rule {
	for _, e := range []*string{&r.Expr, &r.Of, &r.Samples, &r.Lower, &r.Upper, &r.Explain, &r.Ended} {
		*e = r.inWindow(*e)
	}
	return r
}

// checkShare refuses what a share has already: its samples are the whole, and
// its interval is Wilson's.
func (r *Rule) checkShare(p place) {
	if r.Of == "" {
		return
	}
	for _, e := range []struct{ key, text string }{{"samples", r.Samples}, {"lower", r.Lower}, {"upper", r.Upper}} {
		if e.text != "" {
			p.at(e.key).fault("of makes the value a share, which has it already; leave it out")
		}
	}
}
