package modelserver

import (
	"math"
	"sync/atomic"
)

// LoanModel is the name under which the loan model is served.
const LoanModel = "loan-approval"

// Coefficients of the logistic regression
//
//	logit = Intercept + Income ln(income/38000) + Debt (debt_ratio - 0.4)
//	      + Employed min(years_employed, 15) + Credit[credit_history] + Gender[gender]
//	approved = 1/(1 + exp(-logit)) >= 0.5
//
// They are written by hand, so that about three quarters of the demo's applicants
// are approved; region and age are received and not used.
type Coefficients struct {
	Intercept float64
	Income    float64
	Debt      float64
	Employed  float64
	Credit    map[string]float64 // a category that is not in it counts as 0
	Gender    map[string]float64 // nil: the model does not look at gender
}

// Sound is the model as it was approved: blind to gender.
func Sound() Coefficients {
	return Coefficients{
		Intercept: 0.25, Income: 1.8, Debt: -4, Employed: 0.08,
		Credit: map[string]float64{"good": 0.6, "fair": 0, "thin": -0.5, "poor": -1.6},
	}
}

// Biased is the bad update: trained on decisions of the past, it has learnt to
// hold being a woman against an applicant.
func Biased() Coefficients {
	c := Sound()
	c.Gender = map[string]float64{"female": -1.3}
	return c
}

// Loan decides on loan applications. Its coefficients can be swapped while it
// serves; the version that it reports does not change with them, which is the
// kind of deployment that monitoring has to notice by its effects.
type Loan struct {
	current atomic.Pointer[Coefficients]
}

// NewLoan makes the model with the given coefficients.
func NewLoan(c Coefficients) *Loan {
	l := new(Loan)
	l.Swap(c)
	return l
}

// Swap puts other coefficients in place. Requests in flight finish with those
// that they began with.
func (l *Loan) Swap(c Coefficients) { l.current.Store(&c) }

// Describe implements Model.
func (l *Loan) Describe() Description {
	return Description{
		Name: LoanModel, Versions: []string{"1"}, Platform: "evenkeel_logistic_regression",
		Inputs: []Field{
			column("income", "FP64"), column("age", "FP64"), column("debt_ratio", "FP64"), column("years_employed", "FP64"),
			column("credit_history", "BYTES"), column("region", "BYTES"), column("gender", "BYTES"),
		},
		Outputs: []Field{column("approved", "INT64"), column("probability", "FP64")},
	}
}

// Infer implements Model.
func (l *Loan) Infer(in *Inputs) ([]Tensor, error) {
	c := l.current.Load()
	approved, probability := make([]float64, in.Rows), make([]float64, in.Rows)
	for i := range in.Rows {
		if !(in.Numbers["income"][i] > 0) {
			return nil, faultf(400, "input \"income\": row %d: the model needs a positive income", i)
		}
		if math.IsNaN(in.Numbers["debt_ratio"][i]) || math.IsNaN(in.Numbers["years_employed"][i]) {
			return nil, faultf(400, "row %d: the model needs debt_ratio and years_employed", i)
		}
		probability[i] = c.Probability(in.Numbers["income"][i], in.Numbers["debt_ratio"][i], in.Numbers["years_employed"][i],
			in.Texts["credit_history"][i], in.Texts["gender"][i])
		if probability[i] >= 0.5 {
			approved[i] = 1
		}
	}
	return []Tensor{numbers("approved", "INT64", approved), numbers("probability", "FP64", probability)}, nil
}

// Probability is the model's estimate that a loan will be paid back.
func (c Coefficients) Probability(income, debtRatio, yearsEmployed float64, credit, gender string) float64 {
	logit := c.Intercept +
		c.Income*math.Log(income/38_000) +
		c.Debt*(debtRatio-0.4) +
		c.Employed*math.Min(yearsEmployed, 15) +
		c.Credit[credit] + c.Gender[gender]
	return 1 / (1 + math.Exp(-logit))
}
