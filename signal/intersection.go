package signal

import "strings"

// Membership is a person's group by one protected attribute.
type Membership struct {
	Attribute FeatureName `json:"attribute"`
	Group     string      `json:"group"`
}

// Intersection names the group of those who belong to several groups at once,
// for example "race=A, sex=B": an intersection is a group like any other. A
// backslash stands before a comma, equals sign or backslash within a part.
// Members must come in the same order every time.
func Intersection(of []Membership) string { return string(AppendIntersection(nil, of)) }

// AppendIntersection appends the name that Intersection gives. It allocates only
// where dst is too short.
func AppendIntersection(dst []byte, of []Membership) []byte {
	for i, m := range of {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendPart(dst, string(m.Attribute))
		dst = append(dst, '=')
		dst = appendPart(dst, m.Group)
	}
	return dst
}

// appendPart keeps the parts of an intersection's name apart whatever they hold,
// so that two intersections never share a name.
func appendPart(dst []byte, part string) []byte {
	for i := range len(part) {
		switch c := part[i]; c {
		case '\\', ',', '=':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// IntersectionName is the name under which the groups of several protected
// attributes at once are compared, as if they were an attribute of their own:
// "gender x region".
func IntersectionName(members []FeatureName) FeatureName {
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = string(m)
	}
	return FeatureName(strings.Join(parts, " x "))
}
