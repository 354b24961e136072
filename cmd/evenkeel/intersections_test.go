package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/signal"
)

// An agent's window, the baseline of a file and evenkeel measure fairness make
// the same table of an intersection of the same rows.
func TestAnIntersectionIsCountedAlikeEverywhere(t *testing.T) {
	folder := t.TempDir()
	sequences, err := window.OpenSequences(filepath.Join(folder, "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		genders := rapid.SampledFrom([]string{"female", "male", "", "a=b", `x\`})
		regions := rapid.SampledFrom([]string{"north", "", "south, east", "7th"})
		gender, region, approved := []string{"female", "male"}, []string{"north", "north"}, []string{"yes", "no"}
		for range rapid.IntRange(0, 40).Draw(t, "rows") {
			gender, region = append(gender, genders.Draw(t, "gender")), append(region, regions.Draw(t, "region"))
			approved = append(approved, rapid.SampledFrom([]string{"yes", "no", ""}).Draw(t, "approved"))
		}
		lines := []string{"gender,region,approved"}
		for i := range gender {
			lines = append(lines, fmt.Sprintf(`"%s","%s",%s`, gender[i], region[i], approved[i]))
		}
		path := filepath.Join(folder, "rows.csv")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		measured := measuredIntersection(t, path)
		windowed := groupCounts(windowIntersection(t, sequences, gender, region, approved))
		built := groupCounts(builtIntersection(t, path))
		if !maps.Equal(measured, windowed) || !maps.Equal(measured, built) {
			t.Fatalf("measured %v\nwindow %v\nbaseline %v", measured, windowed, built)
		}
	})
}

type groupCount struct{ favourable, total uint64 }

func groupCounts(groups []signal.GroupCount) map[string]groupCount {
	out := map[string]groupCount{}
	for _, g := range groups {
		out[g.Group] = groupCount{g.Favourable, g.Total}
	}
	return out
}

const genderAndRegion = "gender x region"

func measuredIntersection(t *rapid.T, path string) map[string]groupCount {
	r := roles{outcome: "approved", attributes: []string{"gender", "region"}, rule: signal.Favourable{Values: []string{"yes"}}}
	p, err := loadDecisions(context.Background(), input{path: path}, r, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := p.count(r, true)
	if err != nil {
		t.Fatal(err)
	}
	last := tables[len(tables)-1]
	if last.attribute != genderAndRegion {
		t.Fatalf("the last table is of %q", last.attribute)
	}
	out := map[string]groupCount{}
	for name, g := range last.groups {
		out[name] = groupCount{g.outcomes.Favourable, g.outcomes.Total}
	}
	return out
}

func windowIntersection(t *rapid.T, sequences *window.Sequences, gender, region, approved []string) []signal.GroupCount {
	var out []signal.GroupCount
	p, err := window.New(window.Options{
		Instance: "a", Model: signal.ModelRef{Name: "m", Version: "1"}, Sequences: sequences, Length: time.Hour,
		Outcome:   window.Outcome{Output: "approved", Values: []string{"yes"}},
		Protected: []signal.FeatureName{"gender", "region"}, Intersections: [][]signal.FeatureName{{"gender", "region"}},
		Sink: func(w *window.Closed) {
			for _, d := range w.Distributions {
				if d.Target == signal.TargetGroup && d.Feature == genderAndRegion {
					out = d.Groups
				}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Observe(&signal.Observation{Model: p.Model(), Rows: len(gender), Columns: []signal.Column{
		{Name: "gender", Target: signal.TargetFeature, Strings: gender},
		{Name: "region", Target: signal.TargetFeature, Strings: region},
		{Name: "approved", Target: signal.TargetPrediction, Strings: approved},
	}})
	p.Flush()
	return out
}

func builtIntersection(t *rapid.T, path string) []signal.GroupCount {
	s := defaultSchema()
	s.Model.Name, s.Outcome = "m", outcome{Output: "approved", Favourable: favourable{Values: []string{"yes"}}}
	s.Protected = []protected{{"gender", "female"}, {"region", "north"}}
	s.Intersections = [][]string{{"gender", "region"}}
	file, err := openInput(context.Background(), input{path: path}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer file.close()
	survey, err := file.survey()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.plan(path, survey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.build(s, file, survey.Rows)
	if err != nil {
		t.Fatal(err)
	}
	g := b.Group(genderAndRegion)
	if g == nil || g.Reference != "gender=female, region=north" || !g.Declared {
		t.Fatalf("the table of the intersection is %+v", g)
	}
	return g.Counts
}
