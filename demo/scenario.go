package demo

import (
	"time"

	"github.com/evenkeel/evenkeel/demo/applicants"
	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/signal"
)

// Scenario is a story that the demo tells: a model, the reference that it was
// approved with, and the requests that it receives.
type Scenario interface {
	// Title says in one sentence what this is about.
	Title() string
	Model() modelserver.Model
	Baseline() (*signal.Baseline, error)
	// Outcome says which output decides, which values of it are favourable, and
	// whose groups are compared; without attributes no groups are.
	Outcome() Outcome
	// Next gives the next request with its number of rows; none are left when
	// rows is 0. It is called from one goroutine, which also calls Turn.
	Next() (request modelserver.Request, rows int)
	// Turn is called once, when the story turns, and says what changes; empty
	// where the data itself is the story.
	Turn() string
}

// Outcome is what the agent has to know to compare groups.
type Outcome struct {
	Output     signal.FeatureName
	Favourable []string
	Attribute  signal.FeatureName // empty: no groups are compared
	Reference  string             // empty: the baseline's largest group
}

// The loan story.
const (
	baselineRows  = 20_000
	batchRows     = 5
	incomeFactor  = 0.7
	baselineSeed  = 0xba5e11e // another seed than any stream's: other people
	approvedValue = "1"
)

// loanStory is a bank's model under a stream of applicants, whose incomes fall
// while a bad update tilts the decisions against women.
type loanStory struct {
	source *applicants.Source
	model  *modelserver.Loan
}

func newLoanStory(seed uint64) *loanStory {
	return &loanStory{source: applicants.New(seed), model: modelserver.NewLoan(modelserver.Sound())}
}

func (*loanStory) Title() string {
	return "a bank's model decides on loans; the agent stands beside it and watches"
}

func (s *loanStory) Model() modelserver.Model { return s.model }

func (*loanStory) Outcome() Outcome {
	return Outcome{Output: "approved", Favourable: []string{approvedValue}, Attribute: "gender", Reference: "male"}
}

// Baseline lets the approved model decide on people of before: the columns of
// the input that are not protected, and both outputs.
func (s *loanStory) Baseline() (*signal.Baseline, error) {
	people := applicants.New(baselineSeed).Take(baselineRows)
	sound := modelserver.Sound()
	approved := signal.Column{Name: "approved", Target: signal.TargetPrediction, Numbers: make([]float64, len(people))}
	probability := signal.Column{Name: "probability", Target: signal.TargetPrediction, Numbers: make([]float64, len(people))}
	for i, a := range people {
		p := sound.Probability(a.Income, a.DebtRatio, a.YearsEmployed, a.CreditHistory, a.Gender)
		probability.Numbers[i] = p
		if p >= 0.5 {
			approved.Numbers[i] = 1
		}
	}
	table := applicants.Table(people)
	gender := table[len(table)-1]
	return signal.BuildBaseline(append(table[:len(table)-1], approved, probability), signal.BuildOptions{
		Model:      signal.ModelRef{Name: modelserver.LoanModel, Version: "1"},
		Source:     "evenkeel demo: 20,000 seeded applicants, decided by the approved model",
		Outcome:    &approved,
		Favourable: signal.Favourable{Values: []string{approvedValue}},
		Protected:  []signal.ProtectedColumn{{Column: gender, Reference: "male"}},
	})
}

func (s *loanStory) Next() (modelserver.Request, int) {
	var request modelserver.Request
	for _, c := range applicants.Table(s.source.Take(batchRows)) {
		request.Inputs = append(request.Inputs, tensor(c))
	}
	return request, batchRows
}

func (s *loanStory) Turn() string {
	s.source.Drift(incomeFactor)
	s.model.Swap(modelserver.Biased())
	return "now the world changes: applicants' incomes fall by 30 %, and an update of the model,\n" +
		"loaded in place under the same version, begins to hold being a woman against applicants"
}

func tensor(c signal.Column) modelserver.Tensor {
	if c.Strings != nil {
		return modelserver.Texts(string(c.Name), c.Strings, c.Missing)
	}
	return modelserver.Numbers(string(c.Name), c.Numbers)
}

// turnAfter is when a scenario turns; a file never does.
func (o *Options) turnAfter() time.Duration {
	if o.Data != nil {
		return -1
	}
	return o.ShiftAfter
}
