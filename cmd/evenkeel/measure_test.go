package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// A file counted against the baseline that was built from it fills exactly the
// cells of the baseline: building and counting take every value alike, however
// it is written.
func TestAFileIsItsOwnBaseline(t *testing.T) {
	cells := map[string]*rapid.Generator[string]{
		"number":  rapid.SampledFrom([]string{"1", "1.0", "-2.5", " 7 ", "1e3", "0x", "", "NA"}).Filter(func(s string) bool { return s != "0x" }),
		"code":    rapid.SampledFrom([]string{"1", "1.0", "01", "7", "NaN"}),
		"boolean": rapid.SampledFrom([]string{"True", "false", "TRUE", ""}),
		"text":    rapid.SampledFrom([]string{"a", "b", " b", "Ü", "null", "x,y"}),
	}
	names := []string{"number", "code", "boolean", "text"}
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var file strings.Builder
		file.WriteString(strings.Join(names, ",") + "\n0,1,true,a\n")
		for range rapid.IntRange(0, 60).Draw(t, "rows") {
			row := make([]string, len(names))
			for i, name := range names {
				row[i] = fmt.Sprintf("%q", cells[name].Draw(t, name))
			}
			file.WriteString(strings.Join(row, ",") + "\n")
		}
		path := filepath.Join(folder, "rows.csv")
		if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		s := defaultSchema()
		s.Model.Name, s.categorical, s.MaxCategories = "m", []string{"code"}, rapid.IntRange(1, 10).Draw(t, "categories")
		in := input{path: path}
		var c comparison
		if err := c.compare(context.Background(), s, in, in, io.Discard); err != nil {
			t.Fatal(err)
		}
		for i := range c.baseline.Features {
			f := &c.baseline.Features[i]
			d := c.distribution(f)
			if !slices.Equal(d.Counts, f.Counts) || d.Missing != f.Missing || d.Other != f.Other || d.New+d.Invalid != 0 || d.N != f.N {
				t.Fatalf("%s of\n%s\ncounted %+v\nin the baseline %+v", f.Name, file.String(), d, f)
			}
		}
	})
}

// The groups of a file are counted as an agent counts them.
func TestGroupsAreCountedAsByAnAgent(t *testing.T) {
	sequences, err := window.OpenSequences(filepath.Join(t.TempDir(), "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	limit := 0.5
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom([]signal.Favourable{{Values: []string{"1", "yes"}}, {AtLeast: &limit}}).Draw(t, "rule")
		outcomes := []string{"0", "1", "1.0", "0.5", ""}
		if rule.AtLeast == nil {
			outcomes = append(outcomes, "yes", "no", "true")
		}
		n := rapid.IntRange(1, 40).Draw(t, "rows")
		drawn := func(name string, of []string) signal.Column {
			c := signal.Column{Name: signal.FeatureName(name), Target: signal.TargetFeature}
			c.Strings = rapid.SliceOfN(rapid.SampledFrom(of), n, n).Draw(t, name)
			return c
		}
		outcome, group := drawn("y", outcomes), drawn("g", []string{"a", "b", ""})
		outcome.Target = signal.TargetPrediction

		p := &decisions{measuredFile: measuredFile{Rows: n}, outcome: &outcome, attributes: []signal.Column{group}}
		tables, err := p.count(roles{rule: rule}, false)
		if err != nil {
			t.Fatal(err)
		}
		profiler, err := window.New(window.Options{
			Instance: "test", Model: signal.ModelRef{Name: "m"}, Count: uint64(n), Sequences: sequences,
			Outcome:   window.Outcome{Output: "y", Values: rule.Values, AtLeast: rule.AtLeast},
			Protected: []signal.FeatureName{"g"},
			Sink: func(w *window.Closed) {
				for _, d := range w.Distributions {
					if d.Target != signal.TargetGroup {
						continue
					}
					if len(d.Groups) != len(tables[0].groups) {
						t.Errorf("the agent has the groups %v, the file %v", d.Groups, tables[0].groups)
					}
					for _, g := range d.Groups {
						if got := tables[0].of(g.Group).outcomes; got != (measure.Proportion{Favourable: g.Favourable, Total: g.Total}) {
							t.Errorf("%s: counted %+v, the agent %+v", g.Group, got, g)
						}
					}
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		profiler.Observe(&signal.Observation{Rows: n, Columns: []signal.Column{outcome, group}})
		if profiler.Totals().Windows != 1 {
			t.Fatal("no window was closed")
		}
	})
}
