package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/dashboards"
)

// fill does what Grafana does with its variables; intervals as they are on a
// screen that shows the last five minutes.
var fill = strings.NewReplacer("$system", ".*", "$model", ".*", "$__interval", "15s", "$__range", "5m", "$__rate_interval", "1m")

// everyQueryReturnsData reads a dashboard as it is committed and asks a live
// collector every question in it.
func everyQueryReturnsData(t *testing.T, base, dashboard string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "dashboards", dashboard+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboards.Dashboard
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatalf("%s: %v", dashboard, err)
	}
	queries := 0
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			queries++
			if n := series(t, base, target); n == 0 {
				t.Errorf("%s: %s: no data for %s", d.Title, p.Title, target.Expr)
			}
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" && !labelHasValues(t, base, v) {
			t.Errorf("%s: variable %s has no values", d.Title, v.Name)
		}
	}
	t.Logf("%s: %d queries", d.Title, queries)
}

// series runs one query as its panel does and counts the series with a value.
func series(t *testing.T, base string, target dashboards.Target) int {
	t.Helper()
	now := time.Now()
	query := url.Values{"query": {fill.Replace(target.Expr)}}
	path := "/api/v1/query"
	if target.Range {
		path = "/api/v1/query_range"
		query.Set("start", fmt.Sprint(now.Add(-5*time.Minute).Unix()))
		query.Set("end", fmt.Sprint(now.Unix()))
		query.Set("step", "15")
	}
	var answer struct {
		Data struct {
			Result []struct {
				Value  []any   `json:"value"`
				Values [][]any `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	ask(t, base+path+"?"+query.Encode(), &answer)
	n := 0
	for _, r := range answer.Data.Result {
		if hasNumber(append(r.Values, r.Value)) {
			n++
		}
	}
	return n
}

// hasNumber says whether a point holds more than NaN.
func hasNumber(points [][]any) bool {
	for _, p := range points {
		if len(p) == 2 && p[1] != "NaN" {
			return true
		}
	}
	return false
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// labelHasValues asks for a variable's choices as Grafana does.
func labelHasValues(t *testing.T, base string, v dashboards.Variable) bool {
	t.Helper()
	query, _ := v.Query.(map[string]any)
	text, _ := query["query"].(string)
	m := labelValues.FindStringSubmatch(fill.Replace(text))
	if m == nil {
		t.Errorf("variable %s: %q is not label_values(metric, label)", v.Name, text)
		return false
	}
	var answer struct {
		Data []string `json:"data"`
	}
	ask(t, base+"/api/v1/label/"+m[2]+"/values?match[]="+url.QueryEscape(m[1]), &answer)
	return len(answer.Data) > 0
}

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

func ask(t *testing.T, address string, into any) {
	t.Helper()
	status, body := get(t, address)
	if status != http.StatusOK {
		t.Fatalf("%s answers %d: %s", address, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%s: %v", address, err)
	}
}
