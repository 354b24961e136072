package modelserver

import (
	"math"
	"testing"

	"github.com/evenkeel/evenkeel/demo/applicants"
)

// rates gives the share of approvals of each gender.
func rates(c Coefficients, people []applicants.Applicant) map[string]float64 {
	approved, total := map[string]float64{}, map[string]float64{}
	for _, a := range people {
		total[a.Gender]++
		if c.Probability(a.Income, a.DebtRatio, a.YearsEmployed, a.CreditHistory, a.Gender) >= 0.5 {
			approved[a.Gender]++
		}
	}
	for g := range total {
		approved[g] /= total[g]
	}
	return approved
}

// The demo tells a true story only if the approved model is even and the bad
// update is not, in incomes as they were and as they become.
func TestSoundIsEvenAndBiasedTilts(t *testing.T) {
	for _, factor := range []float64{1, 0.7} {
		source := applicants.New(99)
		source.Drift(factor)
		people := source.Take(40_000)
		sound, biased := rates(Sound(), people), rates(Biased(), people)
		if d := sound["female"] - sound["male"]; math.Abs(d) > 0.015 {
			t.Errorf("incomes x %v: the sound model differs by %.3f between genders", factor, d)
		}
		if d := biased["female"] - biased["male"]; d > -0.18 {
			t.Errorf("incomes x %v: the biased model differs by %.3f, want below -0.18", factor, d)
		}
		if sound["male"] != biased["male"] {
			t.Errorf("the bad update changed approvals of men from %v to %v", sound["male"], biased["male"])
		}
		t.Logf("incomes x %v: sound %.3v, biased %.3v", factor, sound, biased)
	}
}

func TestProbabilityByHand(t *testing.T) {
	// 0.25 + 1.8 ln 1 - 4 (0.4 - 0.4) + 0.08 * 10 + 0.6 = 1.65
	got := Sound().Probability(38_000, 0.4, 10, "good", "female")
	if want := 1 / (1 + math.Exp(-1.65)); math.Abs(got-want) > 1e-12 {
		t.Errorf("sound: %v, want %v", got, want)
	}
	// 1.65 - 1.3 = 0.35
	got = Biased().Probability(38_000, 0.4, 10, "good", "female")
	if want := 1 / (1 + math.Exp(-0.35)); math.Abs(got-want) > 1e-12 {
		t.Errorf("biased: %v, want %v", got, want)
	}
}
