package livetest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"testing"
)

// Get reads a JSON answer of the collector's API at a path such as
// /api/v1/nonconformities; anything but 200 fails the test.
func (s *Collector) Get(t testing.TB, path string, into any) {
	t.Helper()
	resp, err := http.Get(s.API + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s", path, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// Scalar asks for a PromQL query that gives one value; NaN if it gives none, or
// several.
func (s *Collector) Scalar(t testing.TB, query string) float64 {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"` // time, value as text
			} `json:"result"`
		} `json:"data"`
	}
	s.Get(t, "/api/v1/query?query="+url.QueryEscape(query), &answer)
	if len(answer.Data.Result) != 1 {
		return math.NaN()
	}
	var value float64
	if _, err := fmt.Sscan(fmt.Sprint(answer.Data.Result[0].Value[1]), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// WriteYAML writes a configuration file that only its owner may read.
func WriteYAML(t testing.TB, path string, content any) {
	t.Helper()
	raw, err := json.Marshal(content) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}
