package signal_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

func TestVerdictOn(t *testing.T) {
	for ground, want := range map[measure.Ground]signal.Verdict{
		measure.GroundBreached:     signal.Fail,
		measure.GroundWarned:       signal.Warn,
		measure.GroundInconclusive: signal.Warn,
		measure.GroundAllowed:      signal.Pass,
		measure.GroundNotShown:     signal.Pass,
		measure.GroundAbsent:       signal.NoData,
		measure.GroundNotFinite:    signal.NoData,
		measure.GroundFewSamples:   signal.NoData,
		measure.GroundUnderpowered: signal.NoData,
		"of another kind":          signal.Error,
	} {
		if got := signal.VerdictOn(ground); got != want {
			t.Errorf("%s: %s, want %s", ground, got, want)
		}
	}
}

func TestIntersection(t *testing.T) {
	for want, of := range map[string][]signal.Membership{
		"race=A, sex=B":     {{Attribute: "race", Group: "A"}, {Attribute: "sex", Group: "B"}},
		`race=A\, sex\=B`:   {{Attribute: "race", Group: "A, sex=B"}},
		`age=(unknown)`:     {{Attribute: "age", Group: signal.GroupUnknown}},
		`path=C:\\a, sex=B`: {{Attribute: "path", Group: `C:\a`}, {Attribute: "sex", Group: "B"}},
		"":                  nil,
	} {
		if got := signal.Intersection(of); got != want {
			t.Errorf("%v: %s, want %s", of, got, want)
		}
	}
}

// Two intersections never share a name.
func TestIntersectionsAreToldApart(t *testing.T) {
	part := rapid.StringOfN(rapid.RuneFrom([]rune(`a,=\ `)), 0, 4, -1)
	one := rapid.Custom(func(t *rapid.T) signal.Membership {
		return signal.Membership{Attribute: signal.FeatureName(part.Draw(t, "attribute")), Group: part.Draw(t, "group")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(one, 1, 3).Draw(t, "a")
		b := rapid.SliceOfN(one, 1, 3).Draw(t, "b")
		same := len(a) == len(b)
		for i := range a {
			same = same && a[i] == b[i]
		}
		if got := signal.Intersection(a) == signal.Intersection(b); got != same {
			t.Fatalf("%q and %q: the same name: %v", signal.Intersection(a), signal.Intersection(b), got)
		}
	})
}
