package applicants

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSameSeedSamePeople(t *testing.T) {
	if a, b := New(7).Take(500), New(7).Take(500); !slices.Equal(a, b) {
		t.Fatal("one seed gave two streams")
	}
	if a, b := New(7).Take(5), New(8).Take(5); slices.Equal(a, b) {
		t.Fatal("two seeds gave one stream")
	}
}

// The first person of seed 1 is fixed, so that a change of the stream, which
// would change every baseline built from it, does not go unnoticed.
func TestFirstPersonIsFixed(t *testing.T) {
	got := New(1).Next()
	want := Applicant{
		Income: 61629, Age: 46.8, DebtRatio: 0.3304, YearsEmployed: 13.3,
		CreditHistory: "thin", Region: "islands", Gender: "male",
	}
	if got != want {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}

func TestDriftMovesIncomesOnly(t *testing.T) {
	calm, moved := New(3), New(3)
	moved.Drift(0.6)
	for range 1000 {
		a, b := calm.Next(), moved.Next()
		if math.Abs(b.Income-0.6*a.Income) > 1 {
			t.Fatalf("income %v became %v, want a factor of 0.6", a.Income, b.Income)
		}
		b.Income = a.Income
		if a != b {
			t.Fatalf("drift changed more than income: %+v, %+v", a, b)
		}
	}
}

func TestEveryApplicantIsPlausible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(rapid.Uint64().Draw(t, "seed"))
		s.Drift(rapid.Float64Range(0.1, 3).Draw(t, "factor"))
		for range 50 {
			a := s.Next()
			switch {
			case !(a.Income > 0), a.Age < 18, a.Age > 80, a.DebtRatio < 0, a.DebtRatio > 1,
				a.YearsEmployed < 0, a.YearsEmployed > a.Age-18+0.1,
				!slices.Contains(CreditHistories, a.CreditHistory), !slices.Contains(Regions, a.Region), !slices.Contains(Genders, a.Gender):
				t.Fatalf("not plausible: %+v", a)
			}
		}
	})
}

func TestSharesAndMedian(t *testing.T) {
	const n = 40_000
	people := New(11).Take(n)
	incomes := make([]float64, n)
	good := map[string]float64{}
	for i, p := range people {
		incomes[i] = p.Income
		good[p.CreditHistory] += 1.0 / n
	}
	slices.Sort(incomes)
	if m := incomes[n/2]; math.Abs(m/MedianIncome-1) > 0.02 {
		t.Errorf("median income %v, want about %v", m, MedianIncome)
	}
	for i, c := range CreditHistories {
		if math.Abs(good[c]-creditShares[i]) > 0.01 {
			t.Errorf("share of %s: %v, want about %v", c, good[c], creditShares[i])
		}
	}
}

func TestTableHoldsEveryApplicantByColumn(t *testing.T) {
	people := New(5).Take(500)
	table := Table(people)
	if len(table) != 7 || table[0].Name != "income" || table[4].Name != "credit_history" || table[6].Name != "gender" {
		t.Fatalf("columns %+v", table)
	}
	for i, p := range people {
		if table[0].Numbers[i] != p.Income || table[3].Numbers[i] != p.YearsEmployed ||
			table[4].Strings[i] != p.CreditHistory || table[6].Strings[i] != p.Gender {
			t.Fatalf("row %d is not %+v", i, p)
		}
		if table[5].Missing[i] != (p.Region == "") {
			t.Fatalf("row %d: region %q, missing %v", i, p.Region, table[5].Missing[i])
		}
	}
}
