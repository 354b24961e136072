package signal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// people are ten rows: who they are by two attributes, and who was granted.
func people() ([]Column, BuildOptions) {
	outcome := Column{Name: "granted", Target: TargetPrediction, Numbers: []float64{1, 0, 1, 1, 0, 0, 1, 1, 1, 0}}
	gender := Column{Name: "gender", Strings: []string{"m", "f", "m", "f", "m", "f", "", "m", "", "m"}}
	region := Column{Name: "region", Strings: []string{"n", "n", "s", "s", "n", "n", "n", "", "", "n"}}
	return []Column{outcome}, BuildOptions{
		Model: ModelRef{Name: "m"}, Outcome: &outcome, Favourable: Favourable{Values: []string{"1"}},
		Protected:     []ProtectedColumn{{Column: gender, Reference: "f"}, {Column: region}},
		Intersections: [][]FeatureName{{"gender", "region"}},
	}
}

func TestBuildIntersections(t *testing.T) {
	columns, o := people()
	b, err := BuildBaseline(columns, o)
	if err != nil {
		t.Fatal(err)
	}
	g := b.Group("gender x region")
	if g == nil {
		t.Fatalf("no table of the intersection among %+v", b.Groups)
	}
	var got []string
	for _, c := range g.Counts {
		got = append(got, fmt.Sprint(c.Group, ": ", c.Favourable, "/", c.Total))
	}
	want := []string{
		"gender=(unknown), region=(unknown): 1/1", "gender=(unknown), region=n: 1/1",
		"gender=f, region=n: 0/2", "gender=f, region=s: 1/1",
		"gender=m, region=(unknown): 1/1", "gender=m, region=n: 1/3", "gender=m, region=s: 1/1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if g.Reference != "gender=f, region=n" || g.Declared { // region's is the largest, which nobody named
		t.Errorf("reference %q, declared %v", g.Reference, g.Declared)
	}
	o.Protected[1].Reference = "s"
	if b, err = BuildBaseline(columns, o); err != nil {
		t.Fatal(err)
	}
	if g = b.Group("gender x region"); g.Reference != "gender=f, region=s" || !g.Declared {
		t.Errorf("reference %q, declared %v", g.Reference, g.Declared)
	}
}

func TestIntersectionsThatCannotBeBuilt(t *testing.T) {
	for want, change := range map[string]func(o *BuildOptions){
		`intersection "gender x age": "age" is no protected attribute`:     func(o *BuildOptions) { o.Intersections[0][1] = "age" },
		`intersection "gender": `:                                          func(o *BuildOptions) { o.Intersections[0] = o.Intersections[0][:1] },
		`intersection "gender x region": the name is taken`:                func(o *BuildOptions) { o.Intersections = append(o.Intersections, o.Intersections[0]) },
		`intersection "gender x region": more than 6 groups`:               func(o *BuildOptions) { o.MaxCategories = 6 },
		`the reference group "gender=f, region=w" does not occur; the gro`: func(o *BuildOptions) { o.Protected[1].Reference, o.Protected[1].Column.Strings[0] = "w", "w" },
	} {
		columns, o := people()
		change(&o)
		if _, err := BuildBaseline(columns, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
