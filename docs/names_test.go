package docs_test

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

var knownHere = regexp.MustCompile(`unknown key "no-such-key-of-a-rule"; known here: (.*)`)

// keysAt asks the strict decoder which keys it knows at a place.
func keysAt(t *testing.T, text string, overrides bool) []string {
	t.Helper()
	file := write(t, t.TempDir(), "keys.yaml", text)
	o := rules.Options{Files: []string{file}}
	if overrides {
		o = rules.Options{Overrides: file}
	}
	_, err := rules.Load(o)
	if err == nil {
		t.Fatal("an unknown key is not a fault")
	}
	m := knownHere.FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("no list of keys in %v", err)
	}
	return strings.Split(m[1], ", ")
}

// nested replaces keys that hold others by those.
func nested(t *testing.T, keys []string, at func(key string) string, overrides bool, parents ...string) []string {
	t.Helper()
	var out []string
	for _, key := range keys {
		if !slices.Contains(parents, key) {
			out = append(out, key)
			continue
		}
		for _, below := range keysAt(t, at(key), overrides) {
			out = append(out, key+"."+below)
		}
	}
	return out
}

func TestRuleKeys(t *testing.T) {
	page := read(t, "docs/reference/rules.md")
	keys := keysAt(t, "no-such-key-of-a-rule: 1\n", false)
	keys = append(keys, nested(t, keysAt(t, "rules: [{no-such-key-of-a-rule: 1}]\n", false),
		func(key string) string { return "rules: [{" + key + ": {no-such-key-of-a-rule: 1}}]\n" }, false,
		"method", "responsible", "no_data", "on_fail", "effectiveness")...)
	changes := nested(t, keysAt(t, "overrides: [{no-such-key-of-a-rule: 1}]\n", true),
		func(key string) string { return "overrides: [{" + key + ": {no-such-key-of-a-rule: 1}}]\n" }, true, "no_data")
	documented := firstCodes(table(t, page, "key"))
	for _, key := range append(slices.Clone(keys), changes...) {
		if i := slices.Index(documented, key); i >= 0 {
			documented = slices.Delete(documented, i, i+1)
		} else {
			t.Errorf("%s is not documented", key)
		}
	}
	if len(documented) > 0 {
		t.Errorf("documented and unknown: %q", documented)
	}
}

var typeLine = regexp.MustCompile(`(?m)^# TYPE (\S+) `)

// agentMetrics gives the metrics of the agent's golden file that match.
func agentMetrics(t *testing.T, pattern string) []string {
	t.Helper()
	var out []string
	for _, m := range typeLine.FindAllStringSubmatch(read(t, "agent/export/testdata/metrics.golden.txt"), -1) {
		if regexp.MustCompile(pattern).MatchString(m[1]) {
			out = append(out, m[1])
		}
	}
	if len(out) == 0 {
		t.Fatalf("no metric matches %s", pattern)
	}
	return out
}

func TestAgentHealthMetrics(t *testing.T) {
	same(t, "agent.md", firstCodes(table(t, read(t, "docs/reference/agent.md"), "metric")),
		agentMetrics(t, "^evenkeel_(agent|capture|export)_"))
}

func TestCollectorHealthMetrics(t *testing.T) {
	full := regexp.MustCompile(`"(evenkeel_(?:ingest|spool|insert|evaluate|register|notify|fleet|retention)_[a-z_]+[a-z])"`)
	short := regexp.MustCompile(`counter\("([a-z]+(?:_[a-z]+)?)", "`) // fleet's, which put the beginning in front
	var real []string
	err := filepath.WalkDir(root+"/collector", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, m := range full.FindAllSubmatch(raw, -1) {
			real = append(real, string(m[1]))
		}
		for _, m := range short.FindAllSubmatch(raw, -1) {
			real = append(real, "evenkeel_fleet_"+string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "collector.md", firstCodes(table(t, read(t, "docs/reference/collector.md"), "metric")), real)
}

func TestSignalNames(t *testing.T) {
	page := read(t, "docs/reference/signals.md")
	documented := codes(page)
	sibling := regexp.MustCompile(`^(evenkeel_(?:drift|fairness|feature|performance)_.*?)_(?:lower|upper|samples|p|p_adjusted|bound|critical|visible|least|greatest)$`)
	for _, name := range agentMetrics(t, ".") {
		if !slices.Contains(documented, sibling.ReplaceAllString(name, "$1")) {
			t.Errorf("%s is sent and not documented", name)
		}
	}
	for _, r := range table(t, page, "metric") {
		if otel, prom := codes(r[0])[0], codes(r[1])[0]; strings.ReplaceAll(otel, ".", "_") != prom {
			t.Errorf("%s is not %s in Prometheus", otel, prom)
		}
	}
	events := []string{signal.EventWindowProfile, signal.EventPrediction, signal.EventLabel, signal.EventBaseline, signal.EventLineageRun, signal.EventLineage, signal.EventHumanReview, signal.EventModelChanged}
	var headings []string
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		if strings.HasPrefix(m[1], "evenkeel.") {
			headings = append(headings, m[1])
		}
	}
	same(t, "events", headings, events)

	attributesOf(t, page, signal.EventWindowProfile, signal.EncodeDistribution(&signal.Distribution{
		Groups: []signal.GroupCount{{Group: "a"}}, OutOfRange: 1, Rate: 0.5, Held: 1,
		Capture:  signal.Capture{Seen: 2, SampledOut: 2, OverCeiling: 1, Unread: 1},
		Embedded: []float64{1}, Distinct: new(measure.HyperLogLog), Estimated: new(measure.ExpectedPerformance), Outcomes: new(signal.Cohort),
		Lineage: []signal.LineageCount{{Value: "a"}},
	}))
	attributesOf(t, page, signal.EventModelChanged, new(signal.ModelChange).Attrs())
	attributesOf(t, page, signal.EventPrediction, signal.EncodePrediction(&signal.Prediction{
		Instance: "i", Time: time.Unix(1, 0), Score: 1, Groups: []signal.Membership{{Attribute: "a", Group: "b"}},
		Basis: "b", Rate: 0.5, TraceID: "t", Baseline: "d", Run: "r", Lineage: signal.Lineage{"m", "i", "p", "t", "r"},
	}))
	attributesOf(t, page, signal.EventHumanReview, signal.EncodeReview(&signal.Review{
		Start: time.Unix(1, 0), End: time.Unix(2, 0), Decision: signal.ReviewConfirmed, Role: "r",
	}))
	attributesOf(t, page, signal.EventLabel, signal.EncodeLabel(&signal.Label{Time: time.Unix(1, 0), Source: "s"}))
}

// attributesOf compares the first table below an event's heading with what the
// event holds.
func attributesOf(t *testing.T, page, event string, real []signal.Attr) {
	t.Helper()
	_, section, _ := strings.Cut(page, "### "+event+"\n")
	section, _, _ = strings.Cut(section, "\n### ")
	var attributes []string
	for _, a := range real {
		attributes = append(attributes, a.Key)
	}
	same(t, event, firstCodes(table(t, section, "attribute")), attributes)
}

// Every suffix that a score can have is in the table of siblings.
func TestSiblings(t *testing.T) {
	same(t, "siblings", firstCodes(table(t, read(t, "docs/reference/signals.md"), "suffix")), []string{
		signal.SuffixSamples, signal.SuffixLower, signal.SuffixUpper, signal.SuffixP, signal.SuffixPAdjusted,
		signal.SuffixCritical, signal.SuffixVisible, signal.SuffixBound, signal.SuffixLeast, signal.SuffixGreatest,
	})
}

func TestTables(t *testing.T) {
	create := regexp.MustCompile(`(?ms)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)\n\((.*?)^\)`)
	column := regexp.MustCompile("(?m)^    `?([A-Za-z_.]+)`? [A-Z]")
	real := map[string][]string{}
	for _, m := range create.FindAllStringSubmatch(read(t, "collector/store/clickhouse/testdata/tables.golden.sql"), -1) {
		for _, c := range column.FindAllStringSubmatch(m[2], -1) {
			if c[1] != "INDEX" {
				real[m[1]] = append(real[m[1]], c[1])
			}
		}
	}
	if len(real) < 10 {
		t.Fatalf("%d tables in the golden file", len(real))
	}
	for _, r := range table(t, read(t, "docs/reference/signals.md"), "table") {
		name := strings.Trim(r[0], "`")
		columns := codes(r[2])
		if name == "schema_migrations" {
			columns = slices.DeleteFunc(columns, func(c string) bool { return c == "batch" }) // it says: without
		}
		same(t, name, columns, real[name])
		delete(real, name)
	}
	for name := range real {
		t.Errorf("the table %s is not documented", name)
	}
}

func TestRoutes(t *testing.T) {
	handler, ok := api.New(api.Options{Metrics: prometheus.NewRegistry()}).(chi.Routes)
	if !ok {
		t.Fatal("the API is no chi router")
	}
	var real []string
	err := chi.Walk(handler, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		real = append(real, method+" "+route)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, text := range codes(read(t, "docs/reference/api.md")) {
		if method, path, ok := strings.Cut(text, " "); ok && (method == "GET" || method == "POST") && strings.HasPrefix(path, "/") {
			documented = append(documented, text)
		}
	}
	same(t, "api.md", documented, real)
}

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

func TestAPIExamples(t *testing.T) {
	examples := jsonBlock.FindAllStringSubmatch(read(t, "docs/reference/api.md"), -1)
	for _, m := range examples {
		if !json.Valid([]byte(m[1])) {
			t.Errorf("not JSON: %s", m[1])
		}
	}
	// The first one shows a whole record: it is what the record's type writes.
	var list struct {
		Nonconformities []json.RawMessage `json:"nonconformities"`
	}
	if err := json.Unmarshal([]byte(examples[0][1]), &list); err != nil || len(list.Nonconformities) != 1 {
		t.Fatalf("%d records, %v", len(list.Nonconformities), err)
	}
	var record model.Record
	if err := json.Unmarshal(list.Nonconformities[0], &record); err != nil {
		t.Fatal(err)
	}
	written, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var shown, real any
	if err := json.Unmarshal(list.Nonconformities[0], &shown); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &real); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(shown, real) {
		t.Errorf("the record in the example is not what is written:\n%s", written)
	}
}
