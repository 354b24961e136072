package demo

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/demo/modelserver"
	"github.com/evenkeel/evenkeel/signal"
)

// writeCSV makes a file of 1,200 rows: amount doubles in the second half, and
// every 50th is missing.
func writeCSV(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my credit.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	rows := [][]string{{"name", "amount", "town", "sex", "nothing", "case_id", "granted"}}
	for i := range 1200 {
		amount := fmt.Sprint((i%97 + 1) * (1 + i/600))
		if i%50 == 0 {
			amount = ""
		}
		rows = append(rows, []string{
			fmt.Sprintf("person %d", i), amount, []string{"Ulm", "Gera"}[i%2], []string{"f", "m", "m"}[i%3], "", fmt.Sprint(i), []string{"yes", "no"}[i/7%2],
		})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFirstHalfIsTheBaselineAndSecondHalfIsAsked(t *testing.T) {
	s, err := newFileStory(&File{Path: writeCSV(t), Outcome: "granted", Favourable: []string{"yes"}, Protected: "sex"})
	if err != nil {
		t.Fatal(err)
	}
	if title := s.Title(); !strings.Contains(title, "first 600 rows") || !strings.Contains(title, "name (text") || !strings.Contains(title, "nothing (empty)") || !strings.Contains(title, "case_id (named") {
		t.Errorf("title %q", title)
	}
	b, err := s.Baseline()
	if err != nil {
		t.Fatal(err)
	}
	amount := b.Feature(signal.TargetFeature, "amount")
	if b.Rows != 600 || amount == nil || amount.Missing != 12 || amount.Max != 97 {
		t.Errorf("baseline of %d rows, amount %+v", b.Rows, amount)
	}
	if b.Feature(signal.TargetPrediction, "granted") == nil || b.Feature(signal.TargetFeature, "sex") != nil || b.Group("sex").Reference != "m" {
		t.Errorf("baseline %+v", b)
	}
	if name := s.Model().Describe().Name; name != "my-credit-replay" {
		t.Errorf("model's name %q", name)
	}
	asked := 0
	for {
		request, rows := s.Next()
		if rows == 0 {
			break
		}
		if want := fmt.Sprint(600 + asked); request.ID != want {
			t.Fatalf("request %q, want %q", request.ID, want)
		}
		if asked == 0 && !strings.HasPrefix(string(request.Inputs[0].Data), "[null,") {
			t.Errorf("a missing amount was sent as %s", request.Inputs[0].Data)
		}
		asked += rows
	}
	if asked != 600 {
		t.Errorf("%d rows were asked", asked)
	}
}

func TestTheModelAnswersWithTheFilesDecision(t *testing.T) {
	s, err := newFileStory(&File{Path: writeCSV(t), Outcome: "granted"})
	if err != nil {
		t.Fatal(err)
	}
	request, rows := s.Next()
	outputs, err := s.Model().Infer(&modelserver.Inputs{ID: request.ID, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(outputs[0].Data, &got); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if want := []string{"yes", "no"}[(600+i)/7%2]; v != want {
			t.Errorf("row %d: %q, want %q", 600+i, v, want)
		}
	}
}

func TestBadFilesAreRefusedWithTheCure(t *testing.T) {
	small := filepath.Join(t.TempDir(), "small.csv")
	if err := os.WriteFile(small, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file File
		says string
	}{
		{File{Path: "/nowhere.csv", Outcome: "a"}, "no such file"},
		{File{Path: small, Outcome: "a"}, "each half needs 500"},
		{File{Path: writeCSV(t), Outcome: "granted", Protected: "sex", Favourable: []string{"Yes"}}, "it has: no, yes"},
		{File{Path: writeCSV(t), Outcome: "granted?"}, "it has: name, amount, town"},
		{File{Path: writeCSV(t), Outcome: "granted", Protected: "gender", Favourable: []string{"yes"}}, `no column "gender"`},
	} {
		if _, err := newFileStory(&c.file); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %q, got %v", c.says, err)
		}
	}
	s, err := newFileStory(&File{Path: writeCSV(t), Outcome: "granted", Protected: "sex", Favourable: []string{"yes"}, Reference: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Baseline(); err == nil || !strings.Contains(err.Error(), "sex") {
		t.Errorf("a reference that does not occur: %v", err)
	}
}
