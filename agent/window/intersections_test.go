package window

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

// crossed are options that count gender, purpose, and both at once.
func crossed(t testing.TB, sink func(*Closed)) Options {
	o := options(t, sink)
	o.Protected = []signal.FeatureName{"gender", "purpose"}
	o.Intersections = [][]signal.FeatureName{{"gender", "purpose"}}
	return o
}

const both signal.FeatureName = "gender x purpose"

func TestIntersectionCountsBothAtOnce(t *testing.T) {
	var c collected
	p := profiler(t, crossed(t, c.take))
	p.Observe(applicants())
	p.Flush()
	d := c.distribution(t, 0, signal.TargetGroup, both)
	var got []string
	for _, g := range d.Groups {
		got = append(got, fmt.Sprint(g.Group, ": ", g.Favourable, "/", g.Total))
	}
	want := "gender=(unknown), purpose=home: 1/1; gender=female, purpose=(unknown): 1/1; gender=female, purpose=boat: 0/1; " +
		"gender=male, purpose=(unknown): 0/1; gender=male, purpose=car: 1/1"
	if strings.Join(got, "; ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
	}
	if d.Missing != 1 || d.N != 6 || d.Bounds == c.distribution(t, 0, signal.TargetGroup, "gender").Bounds {
		t.Errorf("missing %d of %d, bounds %s", d.Missing, d.N, d.Bounds)
	}
}

// member is a part of an intersection's name, unescaped: no drawn text holds
// what is escaped.
func member(name string, k int) string {
	_, group, _ := strings.Cut(strings.Split(name, ", ")[k], "=")
	return group
}

// The rows of an intersection, added up over one attribute, are the table of the
// other, whatever is sent and however many groups may be counted by name.
func TestIntersectionsAddUpToTheirAttributes(t *testing.T) {
	base := crossed(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		o := base
		o.MaxGroups = rapid.SampledFrom([]int{0, 2}).Draw(t, "groups")
		parts := whole(t, o, drawRows(t), func(p *Profiler) { // the intersection itself is not bounded here
			p.groups[2].limit = 1000
			if rapid.Bool().Draw(t, "a window ends") {
				p.Flush()
			}
		})
		crossing := parts[columnKey{signal.TargetGroup, both}]
		for k, attribute := range []signal.FeatureName{"gender", "purpose"} {
			want, got := map[string][2]uint64{}, map[string][2]uint64{}
			table := parts[columnKey{signal.TargetGroup, attribute}]
			if crossing == nil || table == nil {
				if crossing != nil || table != nil {
					t.Fatal("only one of both is told")
				}
				continue
			}
			for _, g := range table.Groups {
				want[g.Group] = [2]uint64{g.Favourable, g.Total}
			}
			for _, g := range crossing.Groups {
				sum := got[member(g.Group, k)]
				got[member(g.Group, k)] = [2]uint64{sum[0] + g.Favourable, sum[1] + g.Total}
			}
			if !reflect.DeepEqual(got, want) || crossing.Missing != table.Missing || crossing.Invalid != table.Invalid || crossing.N != table.N {
				t.Fatalf("%s: added up %v, counted %v", attribute, got, want)
			}
		}
	})
}

func TestIntersectionsAreBounded(t *testing.T) {
	var c collected
	o := crossed(t, c.take)
	o.MaxGroups = 30
	p := profiler(t, o)
	const rows = 3 * 40
	obs := manyApplicants(rows)
	purposes := make([]string, rows)
	for i := range purposes {
		purposes[i] = fmt.Sprint("purpose ", i%40)
	}
	obs.Columns = append(obs.Columns, signal.Column{Name: "purpose", Target: signal.TargetFeature, Strings: purposes})
	p.Observe(obs)
	p.Flush()
	d := c.distribution(t, 0, signal.TargetGroup, both)
	last, other := 0, uint64(0)
	for _, g := range d.Groups {
		if last++; g.Group == groupOther {
			other = g.Total
		}
	}
	if last > 31 || other == 0 || d.N != rows {
		t.Errorf("%d groups, %d rows in (other), %d in all", last, other, d.N)
	}
}

// In the steady state a row costs no memory, whether its group is known, or one
// beyond the bound.
func TestIntersectionsAllocateNothingForARow(t *testing.T) {
	for _, groups := range []int{64, 1} {
		o := crossed(t, func(*Closed) {})
		o.MaxGroups = groups
		p := profiler(t, o)
		obs := manyApplicants(64)
		purposes := make([]string, 64)
		for i := range purposes {
			purposes[i] = []string{"car", "a, b", "", "x=y"}[i%4]
		}
		obs.Columns = append(obs.Columns, signal.Column{Name: "purpose", Target: signal.TargetFeature, Strings: purposes})
		p.Observe(obs)
		if n := testing.AllocsPerRun(100, func() { p.Observe(obs) }); n != 0 {
			t.Errorf("with %d groups, %v allocations for 64 rows", groups, n)
		}
	}
}

// Small intersections are held back, and come with a later window, also of a
// later process.
func TestSmallIntersectionsAreCarriedOver(t *testing.T) {
	folder := t.TempDir()
	var c collected
	for range 2 {
		o := crossed(t, c.take)
		o.MinCell = 2
		var err error
		if o.Carries, err = OpenCarries(filepath.Join(folder, "held.json")); err != nil {
			t.Fatal(err)
		}
		p := profiler(t, o)
		p.Observe(applicants())
		p.Flush()
	}
	first, second := c.distribution(t, 0, signal.TargetGroup, both), c.distribution(t, 1, signal.TargetGroup, both)
	if len(first.Groups) != 0 || first.Held != 5 {
		t.Errorf("the first window tells %v and holds %d", first.Groups, first.Held)
	}
	if second.Held != 0 || len(second.Groups) != 5 || second.Groups[0].Total != 2 {
		t.Errorf("the second window tells %v and holds %d", second.Groups, second.Held)
	}
}

func TestIntersectionsThatCannotBeCounted(t *testing.T) {
	for want, lists := range map[string][][]signal.FeatureName{
		"two protected attributes": {{"gender"}},
		"no protected attribute":   {{"gender", "age"}},
		"is there twice":           {{"gender", "gender"}},
		"the name is taken":        {{"gender", "purpose"}, {"gender", "purpose"}},
	} {
		o := crossed(t, func(*Closed) {})
		o.Intersections = lists
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", lists, err)
		}
	}
}

// BenchmarkIntersection is the cost of one row of two attributes with, and
// without, their intersection.
func BenchmarkIntersection(b *testing.B) {
	for name, lists := range map[string][][]signal.FeatureName{"without": nil, "with": {{"gender", "purpose"}}} {
		b.Run(name, func(b *testing.B) {
			o := crossed(b, func(*Closed) {})
			o.Intersections = lists
			p := profiler(b, o)
			obs := manyApplicants(1000)
			purposes := make([]string, 1000)
			for i := range purposes {
				purposes[i] = []string{"car", "home", "boat"}[i%3]
			}
			obs.Columns = append(obs.Columns, signal.Column{Name: "purpose", Target: signal.TargetFeature, Strings: purposes})
			b.ReportAllocs()
			for b.Loop() {
				p.Observe(obs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/row")
		})
	}
}
