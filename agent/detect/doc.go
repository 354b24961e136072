// Package detect counts what should not stand in the answers of a language
// model: personal data, secrets, and refusals.
//
//	text -> Set.Scan -> Counts: one number for each detector
//
// It reports numbers and never content: nothing of a text is kept, copied or
// returned. A detector reads the text once and allocates nothing.
//
// Each is a heuristic that leans to precision: where a format has a check digit
// it is checked, and values that are published as examples (reserved domain
// names and telephone numbers, test numbers of card networks) do not count.
// What a detector finds is a candidate, which a person may confirm; what it does
// not find may still be there.
package detect
