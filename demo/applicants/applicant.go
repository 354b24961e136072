// Package applicants makes the demo's people: a seeded, endless stream of loan
// applications in which nothing but the seed is random.
//
//	Source -> Applicant -> demo's stream -> agent -> modelserver
//	Source -> Table -> signal.BuildBaseline
//
// The same seed gives the same people on every machine. After Drift the
// incomes, and nothing else, come from another distribution.
package applicants

import "github.com/evenkeel/evenkeel/signal"

// Applicant is one person's application, as the model sees it.
type Applicant struct {
	Income        float64 // a year, before tax, in whole units of currency
	Age           float64 // years, 18 to 80, with a fraction
	DebtRatio     float64 // monthly debt over monthly income, 0 to 1
	YearsEmployed float64 // with the present employer; never more than Age - 18
	CreditHistory string  // one of CreditHistories
	Region        string  // one of Regions; empty where the applicant left it out
	Gender        string  // one of Genders; independent of everything else
}

// The categories in the order in which the stream draws them.
var (
	CreditHistories = []string{"good", "fair", "thin", "poor"}
	Regions         = []string{"north", "south", "east", "west", "islands", ""}
	Genders         = []string{"male", "female"}
)

var (
	creditShares = []float64{0.52, 0.27, 0.13, 0.08}
	regionShares = []float64{0.31, 0.24, 0.22, 0.18, 0.04, 0.01}
	genderShares = []float64{0.52, 0.48}
)

// Table gives applicants by column: first the numbers, then the categories.
func Table(people []Applicant) []signal.Column {
	numbers := func(name signal.FeatureName, field func(Applicant) float64) signal.Column {
		c := signal.Column{Name: name, Target: signal.TargetFeature, Numbers: make([]float64, len(people))}
		for i, a := range people {
			c.Numbers[i] = field(a)
		}
		return c
	}
	texts := func(name signal.FeatureName, field func(Applicant) string) signal.Column {
		c := signal.Column{Name: name, Target: signal.TargetFeature, Strings: make([]string, len(people))}
		c.Missing = make([]bool, len(people))
		for i, a := range people {
			c.Strings[i] = field(a)
			c.Missing[i] = c.Strings[i] == ""
		}
		return c
	}
	return []signal.Column{
		numbers("income", func(a Applicant) float64 { return a.Income }),
		numbers("age", func(a Applicant) float64 { return a.Age }),
		numbers("debt_ratio", func(a Applicant) float64 { return a.DebtRatio }),
		numbers("years_employed", func(a Applicant) float64 { return a.YearsEmployed }),
		texts("credit_history", func(a Applicant) string { return a.CreditHistory }),
		texts("region", func(a Applicant) string { return a.Region }),
		texts("gender", func(a Applicant) string { return a.Gender }),
	}
}
