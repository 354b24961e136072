package query

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Equal is a label and the value that it must have.
type Equal struct{ Label, Value string }

// Check says what is wrong with an expression; nil for good PromQL.
func Check(expr string) error {
	_, err := parse(expr)
	return err
}

// Restrict adds matchers to every vector selector of an expression, and more
// of them to the selectors for which also says so; nil: to none. A selector
// that asks for another value of the same label then finds nothing.
func Restrict(expr string, all []Equal, more []Equal, also func(Selector) bool) (string, error) {
	tree, err := parse(expr)
	if err != nil {
		return "", errs.E("restrict query", errs.Invalid, err, "")
	}
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		selector, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		chosen := also != nil && also(Selector{selector})
		add(selector, all)
		if chosen {
			add(selector, more)
		}
		return nil
	})
	return tree.String(), nil
}

// Selector is one vector selector, to be looked at.
type Selector struct{ selector *parser.VectorSelector }

// Asks says that the selector demands this very value of a label.
func (s Selector) Asks(label, value string) bool {
	for _, m := range s.selector.LabelMatchers {
		if m.Name == label && m.Type == labels.MatchEqual && m.Value == value {
			return true
		}
	}
	return false
}

func add(s *parser.VectorSelector, equals []Equal) {
	for _, e := range equals {
		s.LabelMatchers = append(s.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, e.Label, e.Value)) // only expressions can fail to compile
	}
}

func parse(expr string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(expr)
}
