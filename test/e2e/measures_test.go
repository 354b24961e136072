package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	measuredSystem = "everything"
	measuredSlot   = 4 * time.Second
	labelHorizon   = 10 * time.Second
)

// Every measure that docs/reference/measures.md says is carried by a signal is
// on the wire: requests go through a real agent to a real collector, labels
// follow them, and each convention has samples in the store. Where the right
// value can be known from outside, it is compared.
func TestEveryMeasureIsASignal(t *testing.T) {
	m := startMeasured(t)
	s := m.stream(t)
	want := documentedConventions(t)
	if len(want) < 40 {
		t.Fatalf("only %d conventions found in docs/reference/measures.md: %v", len(want), want)
	}
	eventually(t, 90*time.Second, "every documented convention is in the store", func() bool {
		s.send(t, m, 40)
		missing := m.missing(t, want)
		return len(missing) == 0 || time.Now().After(m.patience) && reportMissing(t, missing)
	})
	m.wantRealised(t, s)
	m.wantExplained(t)
	m.wantIntersection(t)
	everyQueryReturnsData(t, m.api, "evenkeel-outcomes")
}

// reportMissing fails the test; it says true so that nobody waits longer.
func reportMissing(t *testing.T, missing []string) bool {
	t.Errorf("documented and not on the wire:\n%s", strings.Join(missing, "\n"))
	return true
}

// conventionCell finds conventions in the first cell of a table's row.
var conventionCell = regexp.MustCompile("`([a-z0-9_]+/?[^`]*@[0-9]+)`")

// documentedConventions are those which the page says a signal carries.
func documentedConventions(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/reference/measures.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	carried := -1
	for line := range strings.Lines(string(raw)) {
		cells := strings.Split(line, "|") // the first is empty
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case !strings.HasPrefix(line, "|"):
			carried = -1
		case slices.Contains(cells, "carried by"):
			carried = slices.Index(cells, "carried by")
		case carried > 0 && len(cells) > carried && strings.HasPrefix(cells[carried], "`"): // a metric; else words
			for _, c := range conventionCell.FindAllStringSubmatch(cells[1], -1) {
				found[c[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// explaining are metrics without a convention of their own, or that stand beside
// a value.
var explaining = []string{
	"evenkeel_drift_change_count", "evenkeel_drift_score_p", "evenkeel_drift_score_p_adjusted", "evenkeel_drift_score_bound",
	"evenkeel_drift_score_critical", "evenkeel_drift_score_visible", "evenkeel_feature_quality_ratio_least",
	"evenkeel_fairness_selection_rate_greatest", "evenkeel_fairness_held", "evenkeel_drift_limit",
}

// missing lists the conventions and metrics without a sample in the store.
func (m *measured) missing(t *testing.T, conventions []string) []string {
	t.Helper()
	have := map[string]bool{}
	for _, r := range m.query(t, fmt.Sprintf(`count by (evenkeel_convention) (last_over_time({evenkeel_convention!="", evenkeel_system_id=%q}[5m]))`, measuredSystem)) {
		have[r.Metric["evenkeel_convention"]] = true
	}
	for _, name := range explaining {
		if len(m.query(t, fmt.Sprintf(`count(last_over_time(%s{evenkeel_system_id=%q}[5m]))`, name, measuredSystem))) > 0 {
			have[name] = true
		}
	}
	return slices.DeleteFunc(slices.Concat(conventions, explaining), func(c string) bool { return have[c] })
}

// result is one element of a vector.
type result struct {
	Metric map[string]string `json:"metric"`
}

func (m *measured) query(t *testing.T, query string) []result {
	t.Helper()
	var answer struct {
		Data struct {
			Result []result `json:"result"`
		} `json:"data"`
	}
	m.get(t, "/api/v1/query?query="+url.QueryEscape(query), &answer)
	return answer.Data.Result
}

func (m *measured) get(t *testing.T, path string, into any) {
	t.Helper()
	resp, err := http.Get(m.api + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s: %s, %v", path, resp.Status, raw, err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s answered %s: %v", path, raw, err)
	}
}

// point is a sample of a series.
type point struct {
	series string
	at     string
}

// points gives every sample of a metric of one model's cohorts, as stored.
func (m *measured) points(t *testing.T, metric, model, measure string) map[point]float64 {
	t.Helper()
	query := fmt.Sprintf(`%s{evenkeel_basis="realized", evenkeel_model_name=%q, evenkeel_performance_metric=%q, evenkeel_performance_class="", evenkeel_system_id=%q}[10m]`,
		metric, model, measure, measuredSystem)
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
				Values [][2]any          `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	m.get(t, "/api/v1/query?query="+url.QueryEscape(query), &answer)
	out := map[point]float64{}
	for _, r := range answer.Data.Result {
		delete(r.Metric, "__name__")
		for _, v := range r.Values {
			x, err := strconv.ParseFloat(fmt.Sprint(v[1]), 64)
			if err != nil {
				t.Fatal(err)
			}
			out[point{fmt.Sprint(r.Metric), fmt.Sprint(v[0])}] = x
		}
	}
	return out
}

// total adds up what the cohorts say: their rows, and their scores times the
// rows behind each.
func (m *measured) total(t *testing.T, model, measure string, of func(score float64) float64) (rows, weighted float64) {
	t.Helper()
	samples := m.points(t, "evenkeel_performance_score_samples", model, measure)
	scores := m.points(t, "evenkeel_performance_score", model, measure) // read later: whatever has samples has a score
	for at, n := range samples {
		rows += n
		weighted += of(scores[at]) * n
	}
	return rows, weighted
}

// wantRealised compares what the cohorts say with what was sent: no row is lost
// or counted twice on the way. What a slow machine made late is counted, and
// then only the number of rows can be compared.
func (m *measured) wantRealised(t *testing.T, s *stream) {
	t.Helper()
	same := func(x float64) float64 { return x }
	square := func(x float64) float64 { return x * x }
	rows, sent := 0, 0
	for _, c := range []struct {
		model, measure string
		of             func(float64) float64
		want           float64
	}{
		{loanModel, "accuracy", same, float64(s.right[loanModel])},
		{topicModel, "accuracy", same, float64(s.right[topicModel])},
		{rentModel, "rmse", square, s.squared[rentModel]},
	} {
		var found, got float64
		for deadline := time.Now().Add(2 * labelHorizon); int(found) < s.rows[c.model] && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			found, got = m.total(t, c.model, c.measure, c.of)
		}
		rows, sent = rows+int(found), sent+s.rows[c.model]
		t.Logf("%s: %v of %d rows in cohorts", c.model, found, s.rows[c.model])
		if int(found) == s.rows[c.model] && math.Abs(got-c.want) > 1e-6*c.want {
			t.Errorf("%s: the %s of the cohorts is %v over all rows, of what was sent %v", c.model, c.measure, got, c.want)
		}
	}
	late := m.counter(t, "evenkeel_fleet_late_predictions") + m.counter(t, "evenkeel_fleet_late_labels")
	if rows > sent || rows+late < sent {
		t.Errorf("the cohorts hold %d rows, sent were %d, and %d were late", rows, sent, late)
	}
}

// counter reads one of the collector's own counters.
func (m *measured) counter(t *testing.T, name string) int {
	t.Helper()
	resp, err := http.Get(m.api + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s in the collector's metrics", name)
	return 0
}

// wantExplained looks for the records of the drifted stream: they say what
// moved.
func (m *measured) wantExplained(t *testing.T) {
	t.Helper()
	opened := map[string]string{}
	eventually(t, 30*time.Second, "records of DRF-01, DRF-04 and FAI-03", func() bool {
		var list struct {
			Records []struct {
				Source struct {
					Rule string `json:"rule_id"`
				} `json:"source"`
				Statement struct {
					Failure string `json:"failure"`
				} `json:"statement"`
			} `json:"nonconformities"`
		}
		m.get(t, "/api/v1/nonconformities", &list)
		clear(opened)
		for _, r := range list.Records {
			opened[r.Source.Rule] += r.Statement.Failure + "\n"
		}
		return opened["DRF-01"] != "" && opened["DRF-04"] != "" && opened["FAI-03"] != ""
	})
	if text := opened["DRF-01"]; !strings.Contains(text, "income") || !strings.Contains(text, " of rows") {
		t.Errorf("no record says what moved:\n%s", text)
	}
}
