package export

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/signal"
)

// applicants draws rows of a model that has everything: numbers that are watched
// together, a text, a decision with its score, and groups. shift moves them.
func applicants(n int, shift float64) (columns []signal.Column, label signal.Column) {
	r := rand.New(rand.NewPCG(1, uint64(1000*shift)))
	columns = []signal.Column{
		{Name: "income", Target: signal.TargetFeature},
		{Name: "age", Target: signal.TargetFeature},
		{Name: "approved", Target: signal.TargetPrediction},
		{Name: "probability", Target: signal.TargetPrediction},
		{Name: "purpose", Target: signal.TargetFeature},
		{Name: "gender", Target: signal.TargetFeature},
		{Name: "reason", Target: signal.TargetFeature},
	}
	label.Name, label.Target = "repaid", signal.TargetPrediction
	words := []string{"a new car", "a house by the lake", "university", "debts from before"}
	for range n {
		income := r.NormFloat64() + shift
		p := 1 / (1 + math.Exp(-income))
		for i, x := range []float64{income, 40 + 9*r.NormFloat64() + income, math.Round(p), p} {
			columns[i].Numbers = append(columns[i].Numbers, x)
		}
		for i, s := range []string{"p" + strconv.Itoa(r.IntN(3)), []string{"female", "male"}[r.IntN(2)], words[r.IntN(4)] + " " + words[r.IntN(4)]} {
			columns[4+i].Strings = append(columns[4+i].Strings, s)
		}
		repaid := 0.0
		if r.Float64() < p {
			repaid = 1
		}
		label.Numbers = append(label.Numbers, repaid)
	}
	return columns, label
}

// fullBaseline has every part that a baseline can have.
func fullBaseline(t testing.TB) *signal.Baseline {
	t.Helper()
	columns, label := applicants(2000, 0)
	b, err := signal.BuildBaseline(columns[:5], signal.BuildOptions{
		Model: signal.ModelRef{Name: "full"}, Outcome: &columns[2], Favourable: signal.Favourable{Values: []string{"1"}},
		Protected: []signal.ProtectedColumn{{Column: columns[5], Reference: "male"}}, Score: "probability", Label: &label,
		Joint:   []signal.JointColumns{{Name: "both", Target: signal.TargetMultivariate, Columns: columns[:2], Axes: 2, Frequencies: 8}},
		Texts:   []signal.TextColumn{{Column: columns[6]}},
		Windows: 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fullProfiler counts applicants that have changed; its windows go to the
// exporter.
func fullProfiler(t testing.TB, e *Exporter, b *signal.Baseline) *window.Profiler {
	t.Helper()
	sequences, err := window.OpenSequences(filepath.Join(t.TempDir(), "windows.json"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := window.New(window.Options{
		System: "loan-approval", Instance: "i-1", Model: signal.ModelRef{Name: "full", Version: "1"}, Baseline: b,
		Protected: []signal.FeatureName{"gender"}, Length: time.Hour, MinCell: 5, Sequences: sequences,
		Capture: func() signal.Capture { return signal.Capture{Seen: 110, Dropped: 10} },
		Sink:    func(c *window.Closed) { publish(t, e, c) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	columns, _ := applicants(1000, 0.5)
	for from := 0; from < 1000; from += 10 { // requests of ten rows
		obs := &signal.Observation{Model: p.Model(), Rows: 10, Request: strconv.Itoa(from)}
		for _, c := range columns {
			part := c
			if c.Strings != nil {
				part.Strings = c.Strings[from : from+10]
			} else {
				part.Numbers = c.Numbers[from : from+10]
			}
			obs.Columns = append(obs.Columns, part)
		}
		p.Observe(obs)
	}
	p.Flush()
	return p
}

var (
	line       = regexp.MustCompile(`(?m)^(\w+)\{(.*)\} `)
	everywhere = regexp.MustCompile("^(deployment|service|evenkeel_system|evenkeel_model|evenkeel_scope)")
)

// Everything that an instance can say for itself is on the wire, with what
// explains it, and names its convention; the names are held here.
func TestEveryQuantityIsShownUnderItsConvention(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	var profilers []*window.Profiler
	if err := e.Watch(Sources{
		QueueBytes:  func() int64 { return 0 },
		Dropped:     func() map[string]uint64 { return nil },
		Ignored:     func() map[string]uint64 { return nil },
		Undecodable: func() map[string]uint64 { return nil },
		Profilers:   func() []*window.Profiler { return profilers },
		Carries:     func() window.CarryFaults { return window.CarryFaults{Corrupt: 1} },
	}); err != nil {
		t.Fatal(err)
	}
	e.Start()
	profilers = append(profilers, fullProfiler(t, e, fullBaseline(t)))
	text := scrape(t, e.MetricsHandler())
	shown, conventions := map[string]bool{}, map[string]bool{}
	var names []string
	for _, m := range line.FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile("^evenkeel_(drift|fairness|feature_quality|performance)").MatchString(m[1]) {
			continue
		}
		var labels []string
		for _, l := range strings.Split(m[2], `",`) {
			key, value, _ := strings.Cut(l, `="`)
			if !everywhere.MatchString(key) {
				labels = append(labels, key)
			}
			if key == "evenkeel_convention" {
				conventions[strings.TrimSuffix(value, `"`)] = true
			}
		}
		shown[m[1]] = true
		names = append(names, m[1]+" "+strings.Join(labels, " "))
		if !slices.Contains(labels, "evenkeel_convention") && m[1] != signal.PrometheusName(signal.MetricDriftChange) {
			t.Errorf("%s does not name its convention", m[0])
		}
	}
	for _, m := range scoreMetrics {
		if !shown[signal.PrometheusName(m.name)] {
			t.Errorf("%s is not shown", m.name)
		}
	}
	for _, s := range scoreSuffixes {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, signal.PrometheusName(s.suffix)+" ") }) {
			t.Errorf("nothing has a sibling %s", s.suffix)
		}
	}
	slices.Sort(names)
	golden(t, "quantities.golden.txt", strings.Join(slices.Compact(names), "\n")+"\n"+strings.Join(sorted(conventions), "\n")+"\n")

	// The same over OTLP, and the window itself.
	otlptest.Eventually(t, "the window", func() bool { return len(receiver.Events(signal.EventWindowProfile)) > 10 })
	for _, event := range receiver.Events(signal.EventWindowProfile) {
		if _, err := signal.DecodeDistribution(event.Attributes); err != nil {
			t.Errorf("%v: %v", event.Attributes[signal.KeyFeatureName], err)
		}
	}
	if err := e.views.main.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	otlptest.Eventually(t, "the metrics", func() bool { return len(receiver.Points(signal.MetricPerformance)) > 0 })
	for _, p := range receiver.Points(signal.MetricDriftScore + signal.SuffixPAdjusted) {
		if p.Attributes[signal.KeyConvention] == nil || p.Attributes[signal.KeyScope] != signal.ScopeInstance {
			t.Errorf("%v", p.Attributes)
		}
	}
}

func sorted(set map[string]bool) []string {
	var out []string
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func golden(t testing.TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("it differs from %s; if that is meant, run go test -update\n%s", path, got)
	}
}

// A suffix that the vocabulary has is one that can be shown.
func TestEverySuffixHasAGauge(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../signal/keys.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Suffix") {
			return true
		}
		known++
		suffix, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || !slices.ContainsFunc(scoreSuffixes, func(s struct{ suffix, unit, about string }) bool { return s.suffix == suffix }) {
			t.Errorf("%s has no gauge", spec.Names[0].Name)
		}
		return true
	})
	if known != len(scoreSuffixes) {
		t.Errorf("%d suffixes in the vocabulary, %d with gauges", known, len(scoreSuffixes))
	}
}

// However many versions and columns there are, no metric has more than it may,
// and the newest window is whole as far as it fits.
func TestShownScoresAreBounded(t *testing.T) {
	e := newExporter(t, t.TempDir(), "http://127.0.0.1:1", nil)
	scores := make([]score, maxScores/3)
	for i := range 5 {
		if cut := e.views.show(signal.ModelRef{Name: fmt.Sprint(i)}, scores); cut != 0 {
			t.Fatalf("%d are cut", cut)
		}
	}
	if n := len(e.views.scores()); n != 3*len(scores) || e.views.boards[0].model.Name != "2" {
		t.Errorf("%d scores of the models from %s on", n, e.views.boards[0].model)
	}
	if cut := e.views.show(signal.ModelRef{Name: "wide"}, make([]score, maxScores+5)); cut != 5 || len(e.views.scores()) != maxScores || len(e.views.boards) != 1 {
		t.Errorf("%d cut, %d shown of %d models", cut, len(e.views.scores()), len(e.views.boards))
	}
	for i := range 2 * maxBoards {
		e.views.show(signal.ModelRef{Name: fmt.Sprint(i)}, nil)
	}
	if n := len(e.views.boards); n != maxBoards {
		t.Errorf("%d boards", n)
	}
	e.views.boards = nil // what was shown is no score
}
