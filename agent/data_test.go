package agent_test

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/internal/config"
	"github.com/evenkeel/evenkeel/internal/shareddata"
	"github.com/evenkeel/evenkeel/signal"
)

var discard = slog.New(slog.DiscardHandler)

// table is a CSV file by column.
type table map[string][]string

func readTable(t testing.TB, name string) table {
	t.Helper()
	f, err := os.Open(shareddata.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := table{}
	for i, column := range rows[0] {
		for _, row := range rows[1:] {
			out[column] = append(out[column], row[i])
		}
	}
	return out
}

func floats(t testing.TB, cells []string) []float64 {
	t.Helper()
	out := make([]float64, len(cells))
	for i, c := range cells {
		x, err := strconv.ParseFloat(c, 64)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = x
	}
	return out
}

// lookUp is a model that knows its answers: the input row is a line of the
// file, the output the value that stands there.
func lookUp(output string, column []float64) func(map[string][]any) []tensor {
	return func(inputs map[string][]any) []tensor {
		var answers []float64
		for _, row := range inputs["row"] {
			answers = append(answers, column[int(row.(float64))])
		}
		return []tensor{numbers(output, answers...)}
	}
}

// chunk is how many rows one request carries.
const chunk = 236

// stream sends the rows from..to through the agent, chunk by chunk.
func stream(t testing.TB, base, model string, from, to int, columns func(from, to int) []tensor) {
	t.Helper()
	for ; from < to; from += chunk {
		end := min(from+chunk, to)
		rows := make([]float64, 0, chunk)
		for row := from; row < end; row++ {
			rows = append(rows, float64(row))
		}
		status, answer := infer(t, base, model, encode(t, append(columns(from, end), numbers("row", rows...))...))
		if status != http.StatusOK {
			t.Fatalf("rows %d to %d: %d %s", from, end, status, answer)
		}
	}
}

func near(t testing.TB, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6 || math.IsNaN(got) {
		t.Errorf("%s: %.9f, the reference value is %.9f", what, got, want)
	}
}

// The second half of elec2 in one window, against a baseline of the first: the
// PSI that leaves the agent is the reference value.
func TestElec2DriftIsTheReferenceValue(t *testing.T) {
	data := readTable(t, "elec2.csv")
	prices, demands := floats(t, data["nswprice"]), floats(t, data["nswdemand"])
	half := len(prices) / 2
	baseline, err := signal.BuildBaseline([]signal.Column{
		{Name: "nswprice", Target: signal.TargetFeature, Numbers: prices[:half]},
		{Name: "nswdemand", Target: signal.TargetFeature, Numbers: demands[:half]},
	}, signal.BuildOptions{Model: signal.ModelRef{Name: "elec2"}, Source: "elec2.csv, first half"})
	if err != nil {
		t.Fatal(err)
	}
	server := startModelServer(t, lookUp("class", floats(t, data["class"])))
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models = []agentconfig.Model{{Name: "elec2", Baseline: writeBaseline(t, baseline)}}
	c.Window.Count = uint64(len(prices) - half)
	c.Export.MetricsEvery = config.Duration(50 * time.Millisecond)
	a := startAgent(t, c, nil)
	stream(t, "http://"+a.Addr(), "elec2", half, len(prices), func(from, to int) []tensor {
		return []tensor{numbers("nswprice", prices[from:to]...), numbers("nswdemand", demands[from:to]...)}
	})
	want := map[string]float64{"nswprice": 1.082136, "nswdemand": 0.004290}
	var shown map[string]float64
	otlptest.Eventually(t, "both scores at /metrics", func() bool {
		shown = byLabel(t, a.AdminAddr(), "evenkeel_drift_score", "evenkeel_feature_name", `evenkeel_drift_method="psi"`)
		return len(shown) == 2
	})
	scores := func() []otlptest.Point {
		return slices.DeleteFunc(receiver.Points(signal.MetricDriftScore), func(p otlptest.Point) bool {
			return p.Attributes[signal.KeyDriftMethod] != signal.DriftPSI
		})
	}
	otlptest.Eventually(t, "both scores over OTLP", func() bool { return len(scores()) == 2 })
	for _, p := range scores() {
		name := p.Attributes[signal.KeyFeatureName].(string)
		near(t, name+" over OTLP", p.Value, want[name])
	}
	for name, v := range want {
		near(t, name+" at /metrics", shown[name], v)
	}
}

// COMPAS: a high score counted as the outcome. Only the two races that hold
// more than a tenth of the rows each are judged.
func TestCompasParityIsTheReferenceValue(t *testing.T) {
	data := readTable(t, "compas.csv")
	races, scores := data["race"], floats(t, data["score"])
	for name, test := range map[string]struct {
		favourable string
		want       map[string]float64
		interval   [2]float64
	}{
		"score 1": {"1", map[string]float64{signal.FairnessParityDifference: 0.2402002, signal.FairnessDisparateImpact: 1.690224}, [2]float64{}},
		"score 0": {"0", map[string]float64{signal.FairnessParityDifference: -0.2402002, signal.FairnessDisparateImpact: 0.6315929}, [2]float64{0.60194, 0.66281}},
	} {
		t.Run(name, func(t *testing.T) {
			server := startModelServer(t, lookUp("score", scores))
			receiver := otlptest.Start(t, nil)
			c := loanConfig(t, server.URL, receiver.URL())
			c.Models = []agentconfig.Model{{
				Name:      "compas",
				Outcome:   agentconfig.Outcome{Output: "score", Favourable: agentconfig.Favourable{Values: []string{test.favourable}}},
				Protected: []agentconfig.Protected{{Attribute: "race", Reference: "Caucasian"}},
			}}
			c.Window.Count, c.Window.MinShare = uint64(len(races)), 0.1
			a := startAgent(t, c, nil)
			stream(t, "http://"+a.Addr(), "compas", 0, len(races), func(from, to int) []tensor {
				return []tensor{texts("race", races[from:to]...)}
			})
			var shown map[string]float64
			otlptest.Eventually(t, "both disparities and the impact ratio at /metrics", func() bool {
				shown = byLabel(t, a.AdminAddr(), "evenkeel_fairness_disparity", "evenkeel_fairness_metric")
				return len(shown) == 3
			})
			for metric, v := range test.want {
				near(t, metric, shown[metric], v)
			}
			if test.interval != [2]float64{} {
				lower := byLabel(t, a.AdminAddr(), "evenkeel_fairness_disparity_lower", "evenkeel_fairness_metric")[signal.FairnessDisparateImpact]
				upper := byLabel(t, a.AdminAddr(), "evenkeel_fairness_disparity_upper", "evenkeel_fairness_metric")[signal.FairnessDisparateImpact]
				if math.Abs(lower-test.interval[0]) > 5e-6 || math.Abs(upper-test.interval[1]) > 5e-6 {
					t.Errorf("interval [%.6f, %.6f], the reference is %v", lower, upper, test.interval)
				}
			}
		})
	}
}

// byLabel scrapes a metric: its values by one of its labels.
func byLabel(t testing.TB, admin, metric, label string, also ...string) map[string]float64 {
	t.Helper()
	resp, err := client.Get("http://" + admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out := map[string]float64{}
	for series, value := range parseMetrics(t, resp.Body) {
		if !strings.HasPrefix(series, metric+"{") || slices.ContainsFunc(also, func(matcher string) bool { return !strings.Contains(series, matcher) }) {
			continue
		}
		_, rest, _ := strings.Cut(series, label+`="`)
		key, _, _ := strings.Cut(rest, `"`)
		if _, twice := out[key]; twice {
			t.Fatalf("two series of %s have %s %q", metric, label, key)
		}
		out[key] = value
	}
	return out
}

// parseMetrics reads the text exposition: series to value.
func parseMetrics(t testing.TB, from io.Reader) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", line, err))
		}
		out[line[:at]] = v
	}
	return out
}
