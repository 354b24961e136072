package applicants

import (
	"math"
	"math/rand/v2"
)

// The income of an undisturbed stream is log-normal: this median, and this
// standard deviation of its logarithm.
const (
	MedianIncome = 38_000
	incomeSigma  = 0.45
)

// Source draws applicants. It is not safe for concurrent use.
type Source struct {
	rng    *rand.Rand
	income float64 // median
}

// New starts the stream of a seed.
func New(seed uint64) *Source {
	return &Source{rng: rand.New(rand.NewPCG(seed, 0x65766b65656c)), income: MedianIncome}
}

// Drift moves the median income by a factor for everyone drawn from now on.
// Factors replace each other; 1 is the undisturbed stream.
func (s *Source) Drift(factor float64) { s.income = MedianIncome * factor }

// Next draws one applicant. It always consumes the same number of draws in the
// same order, so that two streams of one seed differ only in what Drift changed.
func (s *Source) Next() Applicant {
	income := s.income * math.Exp(incomeSigma*normal(s.rng.Float64(), s.rng.Float64()))
	age := clamp(41+12.5*normal(s.rng.Float64(), s.rng.Float64()), 18, 80)
	// Kumaraswamy(2, 4): like a beta distribution, with a closed inverse.
	debt := math.Sqrt(1 - math.Pow(1-s.rng.Float64(), 1.0/4))
	employed := (age - 18) * math.Pow(s.rng.Float64(), 2)
	return Applicant{
		Income:        math.Round(income),
		Age:           round(age, 1),
		DebtRatio:     round(debt, 4),
		YearsEmployed: round(employed, 1),
		CreditHistory: pick(s.rng.Float64(), CreditHistories, creditShares),
		Region:        pick(s.rng.Float64(), Regions, regionShares),
		Gender:        pick(s.rng.Float64(), Genders, genderShares),
	}
}

// Take draws n applicants.
func (s *Source) Take(n int) []Applicant {
	out := make([]Applicant, n)
	for i := range out {
		out[i] = s.Next()
	}
	return out
}

// normal is Box and Muller's: two uniform numbers make one standard normal.
// Unlike a rejection method it uses the same number of draws every time.
func normal(u, v float64) float64 {
	return math.Sqrt(-2*math.Log(1-u)) * math.Cos(2*math.Pi*v)
}

// pick chooses by cumulated shares; the last category takes what rounding leaves.
func pick(u float64, categories []string, shares []float64) string {
	for i, share := range shares {
		if u -= share; u < 0 {
			return categories[i]
		}
	}
	return categories[len(categories)-1]
}

func clamp(v, low, high float64) float64 { return math.Min(math.Max(v, low), high) }

func round(v float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(v*scale) / scale
}
