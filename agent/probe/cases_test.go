package probe_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/probe"
	"github.com/evenkeel/evenkeel/signal"
)

func TestRead(t *testing.T) {
	set, err := probe.Read([]byte(`{"id": "rich", "request": {"inputs": []}, "expect": 1}

{"request": {"n": 2}, "expect": {"approved": [1, "0"], "sure": true}}
`), probe.Reading{Output: "approved"})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Cases) != 2 || !strings.HasPrefix(string(set.Digest), "sha256:") {
		t.Fatalf("%+v", set)
	}
	one, two := set.Cases[0], set.Cases[1]
	if one.ID != "rich" || string(one.Body) != `{"inputs": []}` || len(one.Expect) != 1 || one.Expect[0].Output != "approved" || one.Expect[0].Values[0].Number != 1 {
		t.Errorf("%+v", one)
	}
	if two.ID != "line 3" || len(two.Expect) != 2 || len(two.Expect[0].Values) != 2 || two.Expect[0].Values[1].Number != 0 || two.Expect[1].Values[0].Number != 1 {
		t.Errorf("%+v", two)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":      "holds no case",
		"{}":    "line 1: needs either request, a body, or rows",
		"\n[1]": "line 2: is no case",
		`{"request": {}, "rows": [{"a": 1}], "expect": 1}`:                   "one of the two",
		`{"request": null, "expect": 1}`:                                     "null is no body",
		`{"request": {}}`:                                                    "expect: missing",
		`{"request": {}, "expect": {}}`:                                      "expect: empty",
		`{"request": {}, "expect": []}`:                                      "expect: empty",
		`{"request": {}, "expect": null}`:                                    "null is neither a number",
		`{"request": {}, "expect": {"a": [[1]]}}`:                            "[1] is neither a number",
		`{"request": {}, "expect": 1}`:                                       "of which output",
		`{"request": {}, "expect": {"a": 1}, "wanted": 1}`:                   `unknown field "wanted"`,
		`{"request": {}, "expect": {"a": 1}} {}`:                             "more than one object",
		`{"rows": [], "expect": {"a": 1}}`:                                   "rows: empty",
		`{"rows": [{"a": 1}, {"b": 1}], "expect": {"a": 1}}`:                 "row 1 has other inputs",
		`{"rows": [{"a": null}], "expect": {"a": 1}}`:                        "null is neither",
		strings.Repeat(`{"request": {}, "expect": {"a": 1}}`+"\n", 10_000+1): "more than 10000 cases",
	} {
		if _, err := probe.Read([]byte(text), probe.Reading{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
	if _, err := probe.Read([]byte(`{"rows": [{"a": 1}], "expect": {"a": 1}}`), probe.Reading{Protocol: "mapped"}); err == nil || !strings.Contains(err.Error(), "protocol mapped has no form") {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "cases.jsonl")
	if _, err := probe.ReadFile(path, probe.Reading{}); err == nil || !strings.Contains(err.Error(), "read the cases") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := probe.ReadFile(path, probe.Reading{}); err == nil || !strings.Contains(err.Error(), "cases.jsonl: line 1") {
		t.Error(err)
	}
}

func TestRowsBecomeRequests(t *testing.T) {
	const rows = `{"rows": [{"age": 3, "name": "a", "new": true, "odd": true}, {"age": 4.5, "name": 7, "new": false, "odd": 2}], "expect": {"y": [0, 1]}}`
	const plain = `[{"age":3,"name":"a","new":true,"odd":true},{"age":4.5,"name":7,"new":false,"odd":2}]`
	const tensors = `{"inputs":[` +
		`{"data":[3,4.5],"datatype":"FP64","name":"age","shape":[2]},` +
		`{"data":["a","7"],"datatype":"BYTES","name":"name","shape":[2]},` +
		`{"data":[true,false],"datatype":"BOOL","name":"new","shape":[2]},` +
		`{"data":[1,2],"datatype":"FP64","name":"odd","shape":[2]}]}`
	for protocol, want := range map[string]string{
		"": tensors, "oip": tensors,
		"kserve_v1": `{"instances":` + plain + `}`, "tfserving": `{"instances":` + plain + `}`, "mlflow": `{"dataframe_records":` + plain + `}`,
	} {
		set, err := probe.Read([]byte(rows), probe.Reading{Protocol: protocol})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(set.Cases[0].Body); got != want {
			t.Errorf("%s: %s\nwant %s", protocol, got, want)
		}
	}
}

// Whatever the bytes are, reading them ends, and what is read can be asked and
// compared.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"id": "a", "request": {"x": [1]}, "expect": {"y": [1, "b", true]}}`,
		`{"rows": [{"a": 1, "b": "c"}], "expect": 3e300}`, "\n\n{", `{"request": 1, "expect": ""}`,
	} {
		f.Add([]byte(seed), "oip")
	}
	f.Fuzz(func(t *testing.T, raw []byte, protocol string) {
		set, err := probe.Read(raw, probe.Reading{Output: "y", Protocol: protocol})
		if err != nil {
			return
		}
		for i := range set.Cases {
			c := &set.Cases[i]
			if !json.Valid(c.Body) {
				t.Errorf("%q is no JSON", c.Body)
			}
			answer := &signal.Observation{Rows: len(c.Expect[0].Values)}
			for _, e := range c.Expect {
				column := signal.Column{Target: signal.TargetPrediction, Name: e.Output}
				for _, v := range e.Values {
					column.Strings = append(column.Strings, v.Text)
				}
				answer.Columns = append(answer.Columns, column)
			}
			sameRows := true
			for _, e := range c.Expect {
				sameRows = sameRows && len(e.Values) == answer.Rows
			}
			if got := probe.Agrees(c, answer, 0); got != sameRows {
				t.Errorf("%s: the expected answer agrees: %v", c.ID, got)
			}
		}
	})
}
