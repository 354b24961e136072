package docs_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/collector"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/rules"
)

func TestAgentSettings(t *testing.T) {
	page := read(t, "docs/reference/agent.md")
	real := map[string]string{}
	settings(t, reflect.ValueOf(*agentconfig.Default()), "", real)
	compareSettings(t, page, real)

	missing := agentconfig.Default()
	oneOfEach(reflect.ValueOf(missing).Elem())
	requiredAreRequired(t, page, missing.Validate("agent.yaml"))

	examples := blocks(page) // the second one sets everything
	if len(examples) < 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		if _, err := agentconfig.Load(write(t, t.TempDir(), example.name, example.text)); err != nil {
			t.Error(err)
		}
	}
	complete(t, examples[1].text, real)
}

func TestCollectorSettings(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("HOME", "/home/somebody")
	page := read(t, "docs/reference/collector.md")
	real := map[string]string{}
	settings(t, reflect.ValueOf(collector.Default()), "", real)
	real["data"] = strings.Replace(real["data"], "/home/somebody", "~", 1)
	compareSettings(t, page, real)

	missing := collector.Default()
	oneOfEach(reflect.ValueOf(&missing).Elem())
	requiredAreRequired(t, page, missing.Validate("collector.yaml"))

	examples := blocks(page)
	if len(examples) != 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range slices.Concat(examples, blocks(read(t, "docs/guide/collector.md"))) {
		folder := t.TempDir()
		for _, b := range blocks(read(t, "docs/reference/rules.md")) {
			write(t, folder, b.name, b.text)
		}
		for _, name := range []string{"clickhouse-password", "clickhouse-ca.pem", "libchdb.so", "tokens", "api-tokens", "cert.pem", "key.pem"} {
			write(t, folder, name, "")
		}
		c, err := collector.LoadConfig(write(t, folder, example.name, example.text))
		if err != nil {
			t.Error(err)
		}
		if _, err := collector.LoadRules(c.Rules); err != nil {
			t.Error(err)
		}
	}
	complete(t, examples[1].text, real)
}

// settings lists every key of a configuration with its value as YAML; that of
// a list's element, which has no default, with its zero.
func settings(t *testing.T, v reflect.Value, path string, out map[string]string) {
	t.Helper()
	if v.Kind() != reflect.Struct {
		raw, err := yaml.Marshal(v.Interface())
		if err != nil {
			t.Fatal(err)
		}
		out[path] = strings.TrimSpace(string(raw))
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct {
			settings(t, reflect.Zero(v.Type().Elem()), path+"[]", out)
		}
		return
	}
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key != "-" {
			settings(t, v.Field(i), strings.TrimPrefix(path+"."+key, "."), out)
		}
	}
}

const required = "required"

func compareSettings(t *testing.T, page string, real map[string]string) {
	t.Helper()
	documented := map[string]string{}
	for _, r := range table(t, page, "setting") {
		documented[strings.Trim(r[0], "`")] = strings.Trim(r[1], "`")
	}
	for path, want := range real {
		got, there := documented[path]
		switch {
		case !there:
			t.Errorf("%s is not documented", path)
		case got == required && want != `""`:
			t.Errorf("%s is said to be required; its default is %s", path, want)
		case got != required && got != want:
			t.Errorf("the default of %s is said to be %s; it is %s", path, got, want)
		}
	}
	for path := range documented {
		if _, there := real[path]; !there {
			t.Errorf("%s is documented and does not exist", path)
		}
	}
}

// oneOfEach puts one zero element into every list of structs.
func oneOfEach(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			oneOfEach(v.Field(i))
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		oneOfEach(v.Index(0))
	}
}

func requiredAreRequired(t *testing.T, page string, faults error) {
	t.Helper()
	if faults == nil {
		t.Fatal("a configuration without its required settings is valid")
	}
	for _, r := range table(t, page, "setting") {
		path := strings.ReplaceAll(strings.Trim(r[0], "`"), "[]", "[0]")
		if r[1] == required && !strings.Contains(faults.Error(), ": "+path+": ") {
			t.Errorf("%s is said to be required; without it there is no fault", path)
		}
	}
}

// complete holds that an example sets every key.
func complete(t *testing.T, text string, real map[string]string) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	keysOf(doc.Content[0], "", given)
	for path := range real {
		if !given[path] {
			t.Errorf("the full example does not set %s", path)
		}
	}
}

func keysOf(n *yaml.Node, path string, out map[string]bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			out[key] = true
			keysOf(n.Content[i+1], key, out)
		}
	case yaml.SequenceNode:
		for _, e := range n.Content {
			keysOf(e, path+"[]", out)
		}
	}
}

// ruleFiles loads the examples of the page about rules over the shipped packs.
func ruleFiles(t *testing.T, page string) *rules.Set {
	t.Helper()
	o := rules.Options{Expression: query.Check}
	folder := t.TempDir()
	for _, b := range blocks(page) {
		path := write(t, folder, b.name, b.text)
		if strings.Contains(b.text, "\noverrides:") {
			o.Overrides = path
		} else {
			o.Files = append(o.Files, path)
		}
	}
	if len(o.Files) != 1 || o.Overrides == "" {
		t.Fatalf("examples: %q and %q", o.Files, o.Overrides)
	}
	set, err := rules.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestRuleExamplesLoad(t *testing.T) {
	set := ruleFiles(t, read(t, "docs/reference/rules.md"))
	shipped, err := rules.Load(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if own := len(set.Rules()) - len(shipped.Rules()); own < 1 {
		t.Errorf("%d rules of one's own", own)
	}
	if len(set.Overridden()) == 0 {
		t.Error("nothing is overridden")
	}
}

func TestShippedRulesTable(t *testing.T) {
	set, err := rules.Load(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for _, r := range table(t, read(t, "docs/reference/rules.md"), "rule") {
		rows[strings.Trim(r[0], "`")] = r
	}
	for _, r := range set.Rules() {
		line := rows[string(r.ID)]
		if line == nil {
			t.Errorf("%s is shipped and not in the table", r.ID)
			continue
		}
		delete(rows, string(r.ID))
		for i, want := range map[int]string{1: r.Pack, 3: r.Fail.String(), 4: r.Warn.String()} {
			if got := codes(line[i]); want == "" && len(got) > 0 || want != "" && !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %q in the table, the rule says %q", r.ID, got, want)
			}
		}
		if span := r.For.String(); span != "" && span != "1 window" && !strings.HasSuffix(line[3], " for "+span) {
			t.Errorf("%s: the table says %q, the rule fails for %s", r.ID, line[3], span)
		}
		opens := strings.TrimSuffix(r.OnFail.Opens+", "+r.OnFail.Severity, ", ")
		if !strings.HasPrefix(line[5], r.When()) || !strings.HasPrefix(line[6], opens) {
			t.Errorf("%s: the table says %q and %q, the rule %q and %q", r.ID, line[5], line[6], r.When(), opens)
		}
	}
	for id := range rows {
		t.Errorf("%s is in the table and not shipped", id)
	}
}
