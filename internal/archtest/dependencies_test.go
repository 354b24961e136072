package archtest

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write agent/dependencies.txt anew")

// dependencies is the list that people review when it changes.
const dependencies = "../../agent/dependencies.txt"

const dependenciesHead = `# Every package outside the standard library that evenkeel-agent is linked from
# (linux/amd64, without cgo). A sidecar sees other people's requests: what it is
# made of is reviewed. After a change that is meant:
#   go test ./internal/archtest -run Dependencies -update
`

// forbidden are what the agent must never link, by prefix, and why.
var forbidden = map[string]string{
	"github.com/ClickHouse/":                     "the store is the collector's",
	"github.com/ebitengine/purego":               "the embedded engine is the collector's",
	"github.com/prometheus/prometheus/":          "PromQL and Prometheus' server are the collector's",
	"k8s.io/":                                    "Prometheus' server brings it, and nothing of the agent needs it",
	"github.com/hashicorp/go-plugin":             "plugins are the collector's",
	"go.opentelemetry.io/collector/":             "the collector's libraries decode; the agent encodes with the SDK",
	module + "/collector":                        "agent and collector never import each other",
	module + "/web":                              "the page is the collector's",
	module + "/rules":                            "rules are judged in the collector",
	module + "/plugins":                          "plugins are the collector's",
	module + "/demo":                             "the demo uses the agent, not the other way round",
	module + "/internal/shareddata":              "it is for tests",
	module + "/agent/export/otlptest":            "it is for tests",
	module + "/agent/wire/grpctest":              "it is for tests",
	"github.com/parquet-go/":                     "files of rows are for people's commands",
	module + "/internal/tabular":                 "files of rows are for people's commands",
	"github.com/rogpeppe/go-internal/testscript": "it is for tests",
	"pgregory.net/rapid":                         "it is for tests",
}

func TestAgentDependenciesAreTheCommittedList(t *testing.T) {
	got := agentPackages(t)
	for _, pkg := range got {
		for prefix, why := range forbidden {
			if pkg == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(pkg, strings.TrimSuffix(prefix, "/")+"/") {
				t.Errorf("the agent links %s: %s", pkg, why)
			}
		}
	}
	if *update {
		text := dependenciesHead + strings.Join(got, "\n") + "\n"
		if err := os.WriteFile(dependencies, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(dependencies)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(raw)), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
	for _, pkg := range missingFrom(want, got) {
		t.Errorf("new in the agent, not in agent/dependencies.txt: %s", pkg)
	}
	for _, pkg := range missingFrom(got, want) {
		t.Errorf("in agent/dependencies.txt, no longer in the agent: %s", pkg)
	}
	if t.Failed() {
		t.Log("if the change is meant: go test ./internal/archtest -run Dependencies -update, and say why in the commit")
	}
}

// agentPackages lists what the binary is linked from, without the standard
// library, sorted.
func agentPackages(t *testing.T) []string {
	t.Helper()
	out := goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./cmd/evenkeel-agent")
	pkgs := strings.Fields(string(out))
	slices.Sort(pkgs)
	return pkgs
}

// missingFrom gives the elements of all that list lacks.
func missingFrom(list, all []string) []string {
	var out []string
	for _, x := range all {
		if !slices.Contains(list, x) {
			out = append(out, x)
		}
	}
	return out
}
