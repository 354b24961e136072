package clickhouse

import (
	"fmt"
	"regexp/syntax"
	"strconv"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// labelColumns are the labels that the table series holds as columns of their
// own as well, which are cheaper to read than the map.
var labelColumns = map[string]string{
	"__name__":                     "name",
	"evenkeel_system_id":           "system",
	"evenkeel_model_name":          "model_name",
	"evenkeel_model_version":       "model_version",
	"evenkeel_feature_name":        "feature_name",
	"evenkeel_scope":               "scope",
	"evenkeel_window_length":       "window_length",
	"evenkeel_drift_method":        "drift_method",
	"evenkeel_fairness_metric":     "fairness_metric",
	"evenkeel_protected_attribute": "protected_attribute",
	"service_name":                 "service",
	"service_instance_id":          "instance",
	"deployment_environment_name":  "environment",
}

// condition turns matchers into SQL over the table series and its parameters.
// Both a map's and a column's absent label is the empty string, which is what
// PromQL wants. Names and values are parameters, never text of the query.
func condition(matchers []model.Matcher) (string, []any, error) {
	terms := []string{"1"}
	var args []any
	param := func(value string) string {
		name := "m" + strconv.Itoa(len(args))
		args = append(args, ch.Named(name, value))
		return "{" + name + ":String}"
	}
	for _, m := range matchers {
		subject, known := labelColumns[m.Name]
		if !known {
			subject = "labels[" + param(m.Name) + "]"
		}
		switch m.Type {
		case model.MatchEqual:
			terms = append(terms, subject+" = "+param(m.Value))
		case model.MatchNotEqual:
			terms = append(terms, subject+" != "+param(m.Value))
		case model.MatchRegexp, model.MatchNotRegexp:
			// Go and ClickHouse both speak RE2; asking Go first gives a plain error.
			if _, err := syntax.Parse(m.Value, syntax.Perl); err != nil {
				return "", nil, errs.E("match label "+m.Name, errs.Invalid, err, "")
			}
			term := "match(" + subject + ", " + param("^(?s:"+m.Value+")$") + ")"
			if m.Type == model.MatchNotRegexp {
				term = "NOT " + term
			}
			terms = append(terms, term)
		default:
			return "", nil, errs.E("match label "+m.Name, errs.Invalid, fmt.Errorf("unknown match type %d", m.Type), "")
		}
	}
	return strings.Join(terms, " AND "), args, nil
}
