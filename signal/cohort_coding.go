package signal

import "github.com/evenkeel/evenkeel/internal/category"

// outcomeCoding is how the deciding output writes its values, as far as the
// baseline has seen it. Labels come from elsewhere: one in another coding must not
// be taken for what is not favourable, and one that writes 1.0 for 1 means 1.
type outcomeCoding struct {
	numeric    bool
	folded     bool            // the baseline has more categories than it lists
	categories map[string]bool // empty: not known
	numbers    map[float64]string
}

// newOutcomeCoding reads it from the output's column; nil allows everything.
func newOutcomeCoding(output *FeatureBaseline) outcomeCoding {
	if output == nil || output.Kind == Numeric {
		return outcomeCoding{numeric: output != nil}
	}
	c := outcomeCoding{folded: output.Other > 0, categories: map[string]bool{}, numbers: map[float64]string{}}
	for _, name := range output.Categories {
		c.categories[name] = true
		if x, ok := category.Number(name); ok {
			c.numbers[x] = name
		}
	}
	return c
}

// allows says whether a value can be one of the output's.
func (c *outcomeCoding) allows(value string) bool {
	if c.categories[value] {
		return true
	}
	x, isNumber := category.Number(value)
	if c.numeric {
		return isNumber
	}
	return c.folded || len(c.categories) == 0 || isNumber && c.numbers[x] != ""
}

// class writes a value as the output does, where it is one of the output's
// categories or the same number as one, and any other number as predictions are
// written.
func (c *outcomeCoding) class(value string) string {
	if c.categories[value] {
		return value
	}
	x, ok := category.Number(value)
	if !ok {
		return value
	}
	if name, ok := c.numbers[x]; ok {
		return name
	}
	return category.OfNumber(x)
}

// told says whether a class is told by its name: text that the baseline does not
// list may be anything, and would make a series of its own.
func (c *outcomeCoding) told(class string) bool {
	return len(c.categories) == 0 || c.categories[class]
}
