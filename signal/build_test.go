package signal

import (
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/canonical"
)

var update = flag.Bool("update", false, "write golden files again")

// loans is a small reference: a number with a dominant value and a hole, a
// category, a decision and a protected attribute.
func loans() ([]Column, BuildOptions) {
	income := Column{Name: "income", Target: TargetFeature}
	purpose := Column{Name: "purpose", Target: TargetFeature}
	approved := Column{Name: "approved", Target: TargetPrediction}
	gender := Column{Name: "gender"}
	for i := range 200 {
		income.Numbers = append(income.Numbers, 20000+125*float64(i*37%200))
		purpose.Strings = append(purpose.Strings, []string{"car", "house", "car", "boat"}[i%4])
		approved.Numbers = append(approved.Numbers, float64(i%3%2))
		gender.Strings = append(gender.Strings, []string{"male", "female", "male", "female", ""}[i%5])
	}
	for i := range 40 {
		income.Numbers[5*i] = 30000
	}
	income.Numbers[7] = math.NaN()
	outcome := approved
	return []Column{income, purpose, approved}, BuildOptions{
		Model:      ModelRef{Name: "loan-approval", Version: "3"},
		Source:     "loans.csv",
		Outcome:    &outcome,
		Favourable: Favourable{Values: []string{"1"}},
		Protected:  []ProtectedColumn{{Column: gender, Reference: "male"}},
	}
}

func mustBuild(t rapid.TB, columns []Column, o BuildOptions) *Baseline {
	t.Helper()
	b, err := BuildBaseline(columns, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func buildLoans(t testing.TB) *Baseline {
	columns, o := loans()
	return mustBuild(t, columns, o)
}

// The digest is the baseline's identity: what this test fixes may change only
// together with BaselineFormat.
func TestBaselineIsGolden(t *testing.T) {
	b := buildLoans(t)
	got, err := canonical.JSON(b)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/baseline.golden.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	digest, err := b.Digest()
	if err != nil || string(digest) != canonical.Sum(want) {
		t.Errorf("digest %s, %v, want that of the file's bytes, %s", digest, err, canonical.Sum(want))
	}
}

// A baseline from before there were outcomes, joint sets and texts keeps its
// digest when it is read and written by this code.
func TestOldBaselinesKeepTheirDigest(t *testing.T) {
	raw, err := os.ReadFile("testdata/baseline_without_parts.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseBaseline(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := canonical.JSON(b)
	if err != nil || string(again) != string(raw) {
		t.Errorf("%v: written again\n%s\nwas\n%s", err, again, raw)
	}
	const want = "sha256:887068f9b89de8fedd7096e00f4b7e77e6721237609316921cdfdd3ef9ca7583"
	if d, err := b.Digest(); err != nil || d != want {
		t.Errorf("digest %s, %v, want %s", d, err, want)
	}
}

func TestBuildCountsEverything(t *testing.T) {
	b := buildLoans(t)
	income := b.Feature(TargetFeature, "income")
	if income.Kind != Numeric || income.N != 200 || income.Missing != 1 || income.Min != 20125 || income.Max != 44875 {
		t.Errorf("income: %+v", income)
	}
	if i, found := slices.BinarySearch(income.Grid, 30000); !found || income.Counts[i] < 40 {
		t.Errorf("the dominant income has no cell of its own: %v, %v", income.Grid, income.Counts)
	}
	purpose := b.Feature(TargetFeature, "purpose")
	if !slices.Equal(purpose.Categories, []string{"boat", "car", "house"}) || !slices.Equal(purpose.Counts, []uint64{50, 100, 50}) {
		t.Errorf("purpose: %+v", purpose)
	}
	if b.Feature(TargetPrediction, "approved").Kind != Numeric || b.Feature(TargetFeature, "approved") != nil {
		t.Error("the outcome is not a numeric prediction")
	}
	gender := b.Group("gender")
	var total uint64
	for _, g := range gender.Counts {
		total += g.Total
	}
	if total != 200 || gender.Reference != "male" || !gender.Declared || gender.Counts[0].Group != GroupUnknown {
		t.Errorf("gender: %+v", gender)
	}
}

func TestReferenceGroupDefaultsToTheLargestKnown(t *testing.T) {
	columns, o := loans()
	o.Protected[0].Reference = ""
	for i := range o.Protected[0].Column.Strings {
		o.Protected[0].Column.Strings[i] = []string{"", "", "", "b", "a"}[i%5]
	}
	g := mustBuild(t, columns, o).Group("gender")
	if g.Declared || g.Reference != "a" {
		t.Errorf("reference %q, declared %v; want a, the first of the two equally large", g.Reference, g.Declared)
	}
}

func TestRareCategoriesAreFolded(t *testing.T) {
	c := Column{Name: "city", Target: TargetFeature}
	for i := range 10 {
		for range 10 - i {
			c.Strings = append(c.Strings, fmt.Sprintf("city%d", i))
		}
	}
	f := mustBuild(t, []Column{c}, BuildOptions{MaxCategories: 3}).Features[0]
	if !slices.Equal(f.Categories, []string{"city0", "city1", "city2"}) || f.Other != 55-27 {
		t.Errorf("%v, %d others", f.Categories, f.Other)
	}
}

func TestFavourable(t *testing.T) {
	limit := 0.5
	numbers := &Column{Numbers: []float64{0, 1, 0.5}}
	texts := &Column{Strings: []string{"yes", "1.0", "no", "0.7"}}
	for _, c := range []struct {
		rule   Favourable
		column *Column
		want   []bool
	}{
		{Favourable{Values: []string{"1"}}, numbers, []bool{false, true, false}},
		{Favourable{Values: []string{"1.0", "0"}}, numbers, []bool{true, true, false}},
		{Favourable{AtLeast: &limit}, numbers, []bool{false, true, true}},
		{Favourable{Values: []string{"yes", "1"}}, texts, []bool{true, true, false, false}},
		{Favourable{Values: []string{"true"}}, numbers, []bool{false, true, false}},
	} {
		for i, want := range c.want {
			if got, err := c.rule.Judge(c.column, i); err != nil || got != want {
				t.Errorf("%+v of row %d: %v, %v", c.rule, i, got, err)
			}
		}
	}
	if _, err := (Favourable{AtLeast: &limit}).Judge(texts, 0); err == nil {
		t.Error("yes is at least 0.5")
	}
}

func TestBuildRefuses(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		spoil func(columns []Column, o *BuildOptions)
		want  string
	}{
		"all missing":       {func(c []Column, _ *BuildOptions) { c[0].Numbers = slices.Repeat([]float64{nan}, 200) }, `"income": every value is missing`},
		"empty texts":       {func(c []Column, _ *BuildOptions) { c[1].Strings = make([]string, 200) }, `"purpose": every value is missing`},
		"infinite":          {func(c []Column, _ *BuildOptions) { c[0].Numbers[3] = math.Inf(1) }, `"income": row 4: +Inf is too large`},
		"huge":              {func(c []Column, _ *BuildOptions) { c[0].Numbers[0] = -1e200 }, `row 1: -1e+200 is too large`},
		"lengths":           {func(c []Column, _ *BuildOptions) { c[1].Strings = c[1].Strings[1:] }, `"purpose" has 199 rows, column "income" has 200`},
		"twice":             {func(c []Column, _ *BuildOptions) { c[1].Name = "income" }, "a second feature of this name"},
		"no reference":      {func(_ []Column, o *BuildOptions) { o.Protected[0].Reference = "man" }, `"man" does not occur; the groups are "(unknown)", "female", "male"`},
		"no outcome":        {func(_ []Column, o *BuildOptions) { o.Outcome = nil }, "no outcome"},
		"no rule":           {func(_ []Column, o *BuildOptions) { o.Favourable = Favourable{} }, "say which outcomes are favourable"},
		"two rules":         {func(_ []Column, o *BuildOptions) { o.Favourable.AtLeast = new(float64) }, "say which outcomes are favourable"},
		"too many groups":   {func(_ []Column, o *BuildOptions) { o.MaxCategories = 2 }, "more than 2 groups"},
		"no one in groups":  {func(_ []Column, o *BuildOptions) { o.Protected[0].Column.Strings = make([]string, 200) }, "no row has both"},
		"numbers as groups": {func(_ []Column, o *BuildOptions) { o.Protected[0].Column = *o.Outcome }, "rows of text are needed"},
	} {
		columns, o := loans()
		c.spoil(columns, &o)
		if _, err := BuildBaseline(columns, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	if _, err := BuildBaseline(nil, BuildOptions{}); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("no columns: %v", err)
	}
	if _, err := BuildBaseline([]Column{{Name: "x"}}, BuildOptions{}); err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Errorf("no rows: %v", err)
	}
}

// What was built reads back the same, with the same digest, whatever the data.
func TestBuiltBaselinesReadBack(t *testing.T) {
	number := rapid.OneOf(rapid.Float64Range(-1e100, 1e100), rapid.Just(0.0), rapid.Just(math.NaN()), rapid.Float64Range(-1, 1))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 80).Draw(t, "rows")
		columns := []Column{
			{Name: "x", Target: TargetFeature, Numbers: rapid.SliceOfN(number, n, n).Draw(t, "x")},
			{Name: "c", Target: TargetFeature, Strings: rapid.SliceOfN(rapid.StringN(0, 4, -1), n, n).Draw(t, "c")},
		}
		columns[0].Numbers[0] = 1.5
		columns[1].Strings[0] = "one"
		b, err := BuildBaseline(columns, BuildOptions{Model: ModelRef{Name: "m"}})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := canonical.JSON(b)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseBaseline(raw)
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		if before, after := digest(t, b), digest(t, back); before != after {
			t.Fatalf("digest %s became %s", before, after)
		}
		for i := range b.Features {
			if !slices.Equal(b.Features[i].Grid, back.Features[i].Grid) || b.Features[i].SumSquares != back.Features[i].SumSquares {
				t.Fatalf("%+v became %+v", b.Features[i], back.Features[i])
			}
		}
	})
}

func digest(t *rapid.T, b *Baseline) Digest {
	d, err := b.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}
