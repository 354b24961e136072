package signal

import "strings"

// Membership is a person's group by one protected attribute.
type Membership struct {
	Attribute FeatureName `json:"attribute"`
	Group     string      `json:"group"`
}

// intersectionEscape keeps the parts of an intersection's name apart whatever
// they hold, so that two intersections never share a name.
var intersectionEscape = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `=`, `\=`)

// Intersection names the group of those who belong to several groups at once,
// for example "race=A, sex=B": an intersection is a group like any other. A
// backslash stands before a comma, equals sign or backslash within a part.
// Members must come in the same order every time.
func Intersection(of []Membership) string {
	parts := make([]string, len(of))
	for i, m := range of {
		parts[i] = intersectionEscape.Replace(string(m.Attribute)) + "=" + intersectionEscape.Replace(m.Group)
	}
	return strings.Join(parts, ", ")
}
