package config

import (
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/signal"
)

func TestIntersectionsAreOfProtectedAttributes(t *testing.T) {
	protected := []Protected{{Attribute: "gender"}, {Attribute: "region"}, {Attribute: "age"}, {Attribute: "age x region"}}
	for want, lists := range map[string][][]signal.FeatureName{
		"": {{"gender", "region"}, {"gender", "age"}, {"gender", "region", "age"}},
		`models[0].intersections[0]: two attributes or more make an intersection, for example [gender, region]`: {{"gender"}},
		`models[0].intersections[0][1]: "height" is no protected attribute; list it under protected`:            {{"gender", "height"}},
		`models[0].intersections[0][1]: missing; name an input, for example gender`:                             {{"gender", ""}},
		`models[0].intersections[0][1]: "gender" is listed twice`:                                               {{"gender", "gender"}},
		`models[0].intersections[1]: "region x gender" is listed twice`:                                         {{"gender", "region"}, {"region", "gender"}},
		`models[0].intersections[0]: "age x region" is the name of a protected attribute as well`:               {{"age", "region"}},
		`models[0].intersections[1]: "gender x age x region" is listed twice`:                                   {{"gender", "age", "region"}, {"gender", "age x region"}},
	} {
		c := Default()
		c.System, c.Models = "s", []Model{{
			Name: "m", Outcome: Outcome{Output: "o", Favourable: Favourable{Values: []string{"1"}}}, Protected: protected, Intersections: lists,
		}}
		err := c.Validate("f")
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != "f: "+want) {
			t.Errorf("%v:\ngot  %v\nwant %s", lists, err, want)
		}
	}
}

func TestIntersectionIsFoundByItsName(t *testing.T) {
	m := Model{Intersections: [][]signal.FeatureName{{"gender", "region"}, {"gender", "age"}}}
	if got := m.Intersection("gender x age"); !slices.Equal(got, []signal.FeatureName{"gender", "age"}) {
		t.Errorf("got %v", got)
	}
	if got := m.Intersection("gender"); got != nil {
		t.Errorf("an attribute is the intersection %v", got)
	}
}
