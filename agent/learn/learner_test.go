package learn

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/signal"
)

var noon = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)

// customers is an observation of rows with a number, a category with one rare
// value, an identifier and an outcome.
func customers(from, rows int, at time.Time) *signal.Observation {
	income, approved := make([]float64, rows), make([]float64, rows)
	region, name := make([]string, rows), make([]string, rows)
	for i := range rows {
		n := from + i
		income[i], approved[i], region[i], name[i] = float64(n%50), float64(n%2), "north", fmt.Sprint("customer ", n)
		switch {
		case n == 3:
			region[i] = "island"
		case n%3 == 0:
			region[i] = "south"
		}
	}
	return &signal.Observation{Rows: rows, Time: at, Columns: []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: income},
		{Name: "region", Target: signal.TargetFeature, Strings: region},
		{Name: "name", Target: signal.TargetFeature, Strings: name},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: approved},
	}}
}

// Rows and time must both be reached, and that is said once.
func TestEnoughIsSaidOnce(t *testing.T) {
	l := New(agentconfig.Learn{Rows: 100, For: config.Duration(time.Hour)})
	for i, step := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {time.Minute, false}, {time.Hour, true}, {2 * time.Hour, false}} {
		if got := l.Observe(customers(60*i, 60, noon.Add(step.after))); got != step.want {
			t.Errorf("observation %d: enough %v, want %v", i, got, step.want)
		}
	}
	if l.Rows() != 180 {
		t.Errorf("%d rows; what comes later is not learnt", l.Rows())
	}
	if (*Learner)(nil).Observe(customers(0, 1, noon)) {
		t.Error("nobody learns enough")
	}
}

// What is rare, or names a person, is not in the baseline.
func TestABaselineNamesNobody(t *testing.T) {
	l := New(agentconfig.Learn{Rows: 300})
	for i := range 3 {
		l.Observe(customers(100*i, 100, noon.Add(time.Duration(i)*time.Minute)))
	}
	m := &agentconfig.Model{
		Name: "loans", Version: "2", Protected: []agentconfig.Protected{{Attribute: "region", Reference: "north"}},
		Outcome: agentconfig.Outcome{Output: "approved", Favourable: agentconfig.Favourable{Values: []string{"1"}}},
	}
	b, left, err := l.Build(m, "agent-1")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(left, []signal.FeatureName{"name"}) || b.Rows != 300 || b.Model != (signal.ModelRef{Name: "loans", Version: "2"}) {
		t.Errorf("left out %q; %d rows of %s", left, b.Rows, b.Model)
	}
	if b.Feature(signal.TargetFeature, "income") == nil || b.Feature(signal.TargetFeature, "region") != nil || b.Feature(signal.TargetPrediction, "approved") == nil {
		t.Errorf("features %+v", b.Features)
	}
	g := b.Group("region")
	if g == nil || slices.ContainsFunc(g.Counts, func(c signal.GroupCount) bool { return c.Group == "island" }) || len(g.Counts) != 2 {
		t.Errorf("groups %+v", g)
	}
	m.Protected = nil
	if b, _, err = l.Build(m, "agent-1"); err != nil {
		t.Fatal(err)
	}
	if f := b.Feature(signal.TargetFeature, "region"); f == nil || slices.Contains(f.Categories, "island") || f.Other != 1 {
		t.Errorf("region %+v", f)
	}
}

// Whatever columns come and go, all that are learnt have a value for each row.
func TestColumnsStayAsLongAsTheRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := New(agentconfig.Learn{Rows: math.MaxInt})
		var rows uint64
		for range rapid.IntRange(1, 6).Draw(t, "observations") {
			n := rapid.IntRange(0, 5).Draw(t, "rows")
			obs := &signal.Observation{Rows: n, Time: noon}
			for _, name := range []signal.FeatureName{"a", "b"} {
				switch rapid.SampledFrom([]string{"none", "numbers", "texts", "odd"}).Draw(t, string(name)) {
				case "numbers":
					obs.Columns = append(obs.Columns, signal.Column{Name: name, Target: signal.TargetFeature, Numbers: make([]float64, n)})
				case "texts":
					obs.Columns = append(obs.Columns, signal.Column{Name: name, Target: signal.TargetFeature, Strings: make([]string, n)})
				case "odd":
					obs.Columns = append(obs.Columns, signal.Column{Name: name, Target: signal.TargetFeature, Numbers: make([]float64, n+1)})
				}
			}
			l.Observe(obs)
			rows += uint64(n)
		}
		if l.Rows() != rows {
			t.Fatalf("%d rows, want %d", l.Rows(), rows)
		}
		for _, c := range l.columns {
			if uint64(c.len()) != rows || c.Strings != nil && len(c.Missing) != len(c.Strings) {
				t.Fatalf("%s has %d values of %d rows", c.Name, c.len(), rows)
			}
		}
	})
}
