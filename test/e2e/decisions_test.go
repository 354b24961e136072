package e2e

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/demo/applicants"
	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// writeDecisions writes a CSV file of people with what a model decided about
// them: the first by one model, those after them by another.
func writeDecisions(t *testing.T, path string, first []applicants.Applicant, before modelserver.Coefficients, then []applicants.Applicant, after modelserver.Coefficients) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	rows := [][]string{{"income", "age", "debt_ratio", "years_employed", "credit_history", "region", "gender", "approved"}}
	for i, a := range slices.Concat(first, then) {
		model, approved := before, "0"
		if i >= len(first) {
			model = after
		}
		if model.Probability(a.Income, a.DebtRatio, a.YearsEmployed, a.CreditHistory, a.Gender) >= 0.5 {
			approved = "1"
		}
		rows = append(rows, []string{
			fmt.Sprint(a.Income), fmt.Sprint(a.Age), fmt.Sprint(a.DebtRatio), fmt.Sprint(a.YearsEmployed),
			a.CreditHistory, a.Region, a.Gender, approved,
		})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
