package window

import (
	"math/rand/v2"
	"testing"

	"github.com/evenkeel/evenkeel/signal"
)

// clerk is a baseline with one of everything: columns, two joint sets (one of
// them over coordinates that are no columns of their own), a text, a decision
// with its score, and a calibrator.
//
//	profile    income, age
//	meaning    e0, e1
//	letter     a text
//	approved   1 where score is at least 0.5
func clerk(t testing.TB) *signal.Baseline {
	t.Helper()
	all := clerkRows(rand.New(rand.NewPCG(1, 2)), 600)
	column := func(name signal.FeatureName) signal.Column { return *all.column(name) }
	label := signal.Column{Name: "repaid", Numbers: all.repaid}
	approved := column("approved")
	approved.Strings = make([]string, len(approved.Numbers))
	for i, x := range approved.Numbers {
		approved.Strings[i] = "0"
		if x == 1 {
			approved.Strings[i] = "1"
		}
	}
	approved.Numbers = nil
	b, err := signal.BuildBaseline(
		[]signal.Column{column("income"), column("age"), column("purpose"), approved, column("score")},
		signal.BuildOptions{
			Model:   signal.ModelRef{Name: "loans"},
			Outcome: &approved, Favourable: signal.Favourable{Values: []string{"1"}},
			Score: "score", Label: &label,
			Joint: []signal.JointColumns{
				{Name: "profile", Target: signal.TargetMultivariate, Columns: []signal.Column{column("income"), column("age")}, Axes: 3, Frequencies: 8},
				{Name: "meaning", Target: signal.TargetEmbedding, Columns: []signal.Column{column("e0"), column("e1")}, Axes: 2, Frequencies: 8},
			},
			Texts: []signal.TextColumn{{Column: column("letter"), Trigrams: 16}},
		})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func clerkOptions(t testing.TB, sink func(*Closed)) Options {
	o := options(t, sink)
	o.Baseline, o.Outcome = clerk(t), Outcome{}
	return o
}

// clerkSample is an observation with how its rows turned out.
type clerkSample struct {
	signal.Observation
	repaid []float64
}

func (s *clerkSample) column(name signal.FeatureName) *signal.Column {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i]
		}
	}
	return nil
}

var letters = []string{"I would like to buy a car.", "A house for us, please", "Guten Tag, ich brauche 3000 Euro", "x", "Привет, мир"}

// clerkRows draws rows of which every value is there.
func clerkRows(r *rand.Rand, rows int) *clerkSample {
	s := &clerkSample{Observation: signal.Observation{Model: signal.ModelRef{Name: "loans", Version: "1"}, Rows: rows}}
	number := func(draw func() float64) []float64 {
		out := make([]float64, rows)
		for i := range out {
			out[i] = draw()
		}
		return out
	}
	text := func(of []string) []string {
		out := make([]string, rows)
		for i := range out {
			out[i] = of[r.IntN(len(of))]
		}
		return out
	}
	score, approved := number(r.Float64), make([]float64, rows)
	s.repaid = make([]float64, rows)
	for i, x := range score {
		if x >= 0.5 {
			approved[i] = 1
		}
		if r.Float64() < x {
			s.repaid[i] = 1
		}
	}
	s.Columns = []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: number(func() float64 { return 30 + 10*r.NormFloat64() })},
		{Name: "age", Target: signal.TargetFeature, Numbers: number(func() float64 { return 40 + 9*r.NormFloat64() })},
		{Name: "purpose", Target: signal.TargetFeature, Strings: text([]string{"car", "home"})},
		{Name: "gender", Target: signal.TargetFeature, Strings: text([]string{"male", "female"})},
		{Name: "e0", Target: signal.TargetFeature, Numbers: number(r.NormFloat64)},
		{Name: "e1", Target: signal.TargetFeature, Numbers: number(r.NormFloat64)},
		{Name: "letter", Target: signal.TargetFeature, Strings: text(letters)},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: approved},
		{Name: "score", Target: signal.TargetPrediction, Numbers: score},
	}
	return s
}
