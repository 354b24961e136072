package agent_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

const genderAndRegion signal.FeatureName = "gender x region"

// regionalBaseline knows two attributes and, if asked, who belongs to both.
func regionalBaseline(crossed bool) *signal.Baseline {
	b := scoredBaseline()
	half := func(groups ...string) (out []signal.GroupCount) {
		for _, g := range groups {
			out = append(out, signal.GroupCount{Group: g, Favourable: 25, Total: 50})
		}
		return out
	}
	b.Groups = append(b.Groups, signal.GroupBaseline{Attribute: "region", Reference: "north", Counts: half("north", "south")})
	if crossed {
		b.Groups = append(b.Groups, signal.GroupBaseline{
			Attribute: genderAndRegion, Reference: "gender=male, region=north", Counts: half("gender=female, region=north", "gender=male, region=north"),
		})
	}
	return b
}

// crossing makes an agent compare the groups of both attributes at once.
func crossing(t *testing.T, c *agentconfig.Config, b *signal.Baseline) {
	t.Helper()
	m := &c.Models[0]
	m.Baseline, m.Outcome = writeBaseline(t, b), agentconfig.Outcome{}
	m.Protected = []agentconfig.Protected{{Attribute: "gender"}, {Attribute: "region"}}
	m.Intersections = [][]signal.FeatureName{{"gender", "region"}}
	c.Window.MinCell = 0
	sendPredictions(c)
	m.Predictions.Groups = []signal.FeatureName{"region", genderAndRegion, "gender"}
}

// regional is a request of ten rows: the incomes make four groups be judged.
func regional(t *testing.T) []byte {
	t.Helper()
	return encode(t,
		numbers("income", 3, 1, 3, 1, 3, 1, 3, 1, 3, 3),
		texts("gender", "male", "male", "male", "female", "female", "female", "male", "female", "", "male"),
		texts("region", "north", "north", "south", "north", "south", "south", "north", "south", "north", ""))
}

// Real HTTP at one end, OTLP at the other: a window tells the groups of both
// attributes at once, a prediction whose they are, and the agent's own scores
// compare them with those of both reference groups.
func TestIntersectionsLeaveTheAgent(t *testing.T) {
	server := startModelServer(t, scored)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Window.Count = 20
	crossing(t, c, regionalBaseline(true))
	a := startAgent(t, c, nil)
	for range 2 {
		named(t, "http://"+a.Addr(), string(regional(t)))
	}
	awaitWindows(t, receiver, 1)
	var told []string
	for _, g := range of(profiles(t, receiver), signal.TargetGroup, genderAndRegion)[0].Groups {
		told = append(told, fmt.Sprint(g.Group, ": ", g.Favourable, "/", g.Total))
	}
	want := []string{
		"gender=(unknown), region=north: 2/2", "gender=female, region=north: 0/2", "gender=female, region=south: 2/6",
		"gender=male, region=(unknown): 2/2", "gender=male, region=north: 4/6", "gender=male, region=south: 2/2",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q\nwant %q", told, want)
	}
	members := []string{
		"gender=male, region=north", "gender=male, region=north", "gender=male, region=south", "gender=female, region=north", "gender=female, region=south",
		"gender=female, region=south", "gender=male, region=north", "gender=female, region=south", "gender=(unknown), region=north", "gender=male, region=(unknown)",
	}
	for _, p := range awaitPredictions(t, receiver, 20) {
		if len(p.Groups) != 3 || p.Groups[1] != (signal.Membership{Attribute: genderAndRegion, Group: members[p.Row]}) || p.Groups[2].Attribute != "gender" {
			t.Errorf("row %d: %v", p.Row, p.Groups)
		}
	}
	otlptest.Eventually(t, "the agent's own scores of the intersection", func() bool {
		return math.Abs(parities(t, a, "gender=male, region=north")["gender=female, region=south"]+1./3) < 1e-9 // 2 of 6, and 4 of 6
	})
}

// parities gives how much the groups of the intersection are favoured, less those
// of a reference group.
func parities(t *testing.T, a *agent.Agent, reference string) map[string]float64 {
	t.Helper()
	return byLabel(t, a.AdminAddr(), "evenkeel_fairness_disparity", "evenkeel_group", `evenkeel_protected_attribute="gender x region"`,
		`evenkeel_fairness_metric="statistical_parity_difference"`, `evenkeel_reference_group="`+reference+`"`)
}

// A baseline that is learnt holds the intersections, and the reference groups
// that the configuration names make theirs.
func TestIntersectionsAreLearnt(t *testing.T) {
	server := startModelServer(t, scored)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	crossing(t, c, regionalBaseline(true))
	m := &c.Models[0]
	m.Baseline, m.Outcome = "", agentconfig.Outcome{Output: "approved", Favourable: agentconfig.Favourable{Values: []string{"1"}}}
	m.Learn.Rows = 100
	m.Protected[0].Reference = "female"
	a := startAgent(t, c, nil)
	for range 30 {
		named(t, "http://"+a.Addr(), string(regional(t)))
	}
	otlptest.Eventually(t, "scores against those of both reference groups", func() bool {
		named(t, "http://"+a.Addr(), string(regional(t)))
		return len(parities(t, a, "gender=female, region=north")) > 0
	})
}

// Intersections are settled with the rest of the configuration.
func TestIntersectionsFitTheBaseline(t *testing.T) {
	c := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
	crossing(t, c, regionalBaseline(false)) // which need not know them
	if err := agent.Check(c); err != nil {
		t.Error(err)
	}
	c.Models[0].Predictions.Groups[1] = "region x gender"
	if err := agent.Check(c); err == nil || !strings.Contains(err.Error(), `models[0].predictions.groups[1]: "region x gender" is neither a group nor a feature`) {
		t.Errorf("an intersection in another order: %v", err)
	}
}
