package dashboards

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

func TestCommittedFilesAreUpToDate(t *testing.T) {
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) != len(All()) {
		t.Errorf("files %q of %d dashboards, %v", files, len(All()), err)
	}
	for _, d := range All() {
		want, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		have, err := os.ReadFile(d.UID + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s.json is not what the code makes; run: go generate ./dashboards", d.UID)
		}
	}
}

// Grafana fills its own variables in before Prometheus sees a query.
var fill = strings.NewReplacer("$system", ".*", "$model", ".*", "$__interval", "15s", "$__range", "30m", "$__rate_interval", "1m")

func TestEveryQueryParses(t *testing.T) {
	for _, d := range All() {
		queries := 0
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				queries++
				if _, err := parser.NewParser(parser.Options{}).ParseExpr(fill.Replace(target.Expr)); err != nil {
					t.Errorf("%s: %s: %v", p.Title, target.Expr, err)
				}
			}
		}
		if queries < 10 {
			t.Errorf("%s: only %d queries", d.Title, queries)
		}
	}
}

func TestPanelsDoNotOverlapAndExplainThemselves(t *testing.T) {
	for _, d := range All() {
		t.Run(d.UID, func(t *testing.T) { panelsExplainThemselves(t, d) })
	}
}

func panelsExplainThemselves(t *testing.T, d Dashboard) {
	t.Helper()
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: id %d is not its own", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && p.Description == "" {
			t.Errorf("%s has no description", p.Title)
		}
		if p.GridPos.X+p.GridPos.W > columns {
			t.Errorf("%s sticks out: %+v", p.Title, p.GridPos)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := taken[cell]; other != "" {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[cell] = p.Title
			}
		}
	}
}

func TestJSONKeepsPromQLReadable(t *testing.T) {
	raw, err := Overview().JSON()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(`\u003`)) || !json.Valid(raw) {
		t.Error("characters of PromQL are escaped, or the JSON is broken")
	}
}
