package wire

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

// Which URLs are predictions, and of which model and version.
func TestURLs(t *testing.T) {
	all, err := NewDecoders(Options{})
	if err != nil {
		t.Fatal(err)
	}
	one, err := NewDecoders(Options{Models: map[string]Model{"m": {}}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/v2/models/m/infer":                        "oip m",
		"/v2/models/m/versions/3/infer":             "oip m@3",
		"/v1/models/m:predict":                      "kserve_v1 m",
		"/v1/models/m/versions/3:predict":           "kserve_v1 m@3",
		"/v1/models/m/labels/stable:predict":        "kserve_v1 m@stable",
		"/v1/models/m/versions/3/x:predict":         "",
		"/v1/models/m/other/3:predict":              "",
		"/v1/models/m/versions:predict":             "",
		"/v1/models/:predict":                       "",
		"/v1/models/m:classify":                     "",
		"/v1/models/m":                              "",
		"/predictions/m":                            "torchserve m",
		"/predictions/m/2.0":                        "torchserve m@2.0",
		"/predictions/m/":                           "",
		"/predictions/m/2.0/x":                      "",
		"/predictions":                              "",
		"/seldon/ns/m/api/v1.0/predictions":         "seldon m",
		"/seldon/ns/m/api/v0.1/predictions":         "seldon m",
		"/seldon/ns/api/v1.0/predictions":           "",
		"/seldon//m/api/v1.0/predictions":           "",
		"/seldon/ns/m/x/api/v1.0/predictions":       "",
		"/x/api/v1.0/predictions":                   "",
		"/api/v1.0/predictions":                     "only seldon m",
		"/api/v0.1/predictions":                     "only seldon m",
		"/invocations":                              "only mlflow m",
		"/invocations/":                             "",
		"/":                                         "",
		"":                                          "",
		"/predictions/api/v1.0/predictions/m":       "",
		"/v1/models/predictions/versions/1:predict": "other",
	} {
		want, only := strings.CutPrefix(want, "only ")
		got := ""
		if to, ok := all.route(path); ok {
			got = string(to.form.protocols[0]) + " " + signal.ModelRef{Name: to.model, Version: to.version}.String()
		}
		if want != "other" && got != want && !only || only && got != "" {
			t.Errorf("%q, any model: %q, want %q", path, got, want)
		}
		got = ""
		if to, ok := one.route(path); ok {
			got = string(to.form.protocols[0]) + " " + signal.ModelRef{Name: to.model, Version: to.version}.String()
		}
		if want == "other" {
			want = ""
		}
		if got != want {
			t.Errorf("%q, one model: %q, want %q", path, got, want)
		}
	}
}

// A model that states /invocations' protocol has it, and nobody where two do.
func TestURLsThatNameNoModel(t *testing.T) {
	for want, models := range map[string]map[string]Model{
		"a":    {"a": {Protocol: MLflow}, "b": {}, "c": {Protocol: KServeV1}},
		"b":    {"a": {Protocol: KServeV1}, "b": {}},
		"c":    {"c": {Protocol: SageMaker}},
		"":     {"a": {Protocol: MLflow}, "b": {Protocol: SageMaker}},
		"none": {"a": {Protocol: KServeV1}},
	} {
		d, err := NewDecoders(Options{Models: models})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, "/invocations", nil)
		if err != nil {
			t.Fatal(err)
		}
		if model, ok := d.Wants(r); model != strings.TrimPrefix(want, "none") || ok != (model != "") {
			t.Errorf("%v: model %q, %v, want %q", models, model, ok, want)
		}
	}
}

func TestModelsThatCannotBeDecoded(t *testing.T) {
	for want, m := range map[string]Model{
		"is not known":                  {Protocol: "v3"},
		"path: missing":                 {Protocol: Mapped},
		"needs a protocol":              {Path: "/x"},
		"begin with a slash":            {Protocol: MLflow, Path: "x"},
		"neither plain text":            {Protocol: MLflow, Path: "/x/{model}"},
		"segment \"a*\"":                {Protocol: MLflow, Path: "/x/a*"},
		"more than one":                 {Protocol: MLflow, Path: "/{version}/{version}"},
		"inputs.at: is for protocol":    {Protocol: MLflow, Inputs: Side{At: "/a"}},
		"outputs.form: is for protocol": {Outputs: Side{Form: RowsForm}},
		"form: \"table\" is none":       {Protocol: Mapped, Path: "/x", Inputs: Side{Form: "table"}},
		"no JSON pointer":               {Protocol: Mapped, Path: "/x", Inputs: Side{At: "a"}},
		"a tilde is written":            {Protocol: Mapped, Path: "/x", Outputs: Side{At: "/a~b"}},
		"is also that of":               {},
		"deeper than":                   {Protocol: Mapped, Path: "/x", Outputs: Side{At: strings.Repeat("/a", 65)}},
	} {
		models := map[string]Model{"loans": m}
		if want == "is also that of" {
			models = map[string]Model{"cards": {Protocol: MLflow, Path: "/x"}, "loans": {Protocol: Mapped, Path: "/x"}}
		}
		_, err := NewDecoders(Options{Models: models})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "model loans: ") {
			t.Errorf("%+v: %v, want %q", m, err, want)
		}
	}
}

func TestPointersReadWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringOf(rapid.SampledFrom([]rune("a~/01 é"))), 0, 6).Draw(t, "names")
		text := ""
		for _, n := range names {
			text += "/" + strings.ReplaceAll(strings.ReplaceAll(n, "~", "~0"), "/", "~1")
		}
		got, err := parsePointer(text)
		if err != nil || !slices.Equal(got, names) {
			t.Fatalf("%q: %q, %v, want %q", text, got, err, names)
		}
	})
}

func wideRow(n int) string { return "[" + strings.Repeat("1,", n-1) + "0]" }

// A list of more columns than are taken apart is left out, unless they have
// names.
func TestWideRowsAreLeftOut(t *testing.T) {
	columns := make([]signal.FeatureName, 1025)
	for i := range columns {
		columns[i] = "c"
	}
	named := map[string]Model{"loans": {Inputs: Side{Columns: map[string][]signal.FeatureName{"input": columns}}}}
	keys := make([]string, 1030)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	for name, c := range map[string]struct {
		models    map[string]Model
		instances string
		columns   int
		left      bool
	}{
		"just":        {nil, wideRow(1024) + "," + wideRow(1024), 1024, false},
		"too wide":    {nil, wideRow(1025) + "," + wideRow(1025), 0, true},
		"named":       {named, wideRow(1025) + "," + wideRow(1025), 1025, false},
		"one of two":  {nil, `{"image":` + wideRow(5000) + `,"age":4},{"image":` + wideRow(5000) + `,"age":5}`, 1, true},
		"many keys":   {nil, `{` + strings.Join(keys, ",") + `},{}`, 1024, true},
		"long name":   {nil, `{"` + strings.Repeat("k", 255) + `":1,"` + strings.Repeat("k", 256) + `":{"a":1}},{}`, 1, true},
		"long path":   {nil, `{"` + strings.Repeat("k", 200) + `":{"` + strings.Repeat("k", 100) + `":1,"b":2}},{}`, 1, true},
		"both halves": {nil, `{"a":` + wideRow(600) + `,"b":` + wideRow(600) + `},{}`, 600, true},
	} {
		d, err := NewDecoders(Options{Models: c.models})
		if err != nil {
			t.Fatal(err)
		}
		obs, err := d.Decode(exchangeAt("/v1/models/loans:predict", `{"instances":[`+c.instances+`]}`, `{"predictions":[1,2]}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkWhole(t, obs)
		if left := d.LeftOut(); len(obs.Columns)-1 != c.columns || (left != nil) != c.left || left != nil && left.Reason != TooWide {
			t.Errorf("%s: %d columns, left out: %v", name, len(obs.Columns)-1, left)
		}
	}
}

// Of two members of one name the last one counts, as in other readers.
func TestLastOfTwoMembersCounts(t *testing.T) {
	d := loansDecoders(t)
	long := wideRow(1025)
	for body, want := range map[string]map[string][]any{
		`{"instances":[{"a":1,"a":2},{"a":3,"a":"x"}]}`:                                      {"a": {"2", "x"}},
		`{"instances":[{"a":[1,2],"a":[3]},{"a":[4],"a":[5]}]}`:                              {"a": {3.0, 5.0}},
		`{"instances":[{"a":null,"b":1},{"a":[1,"x"]},{"a":[2,3],"a":null}]}`:                {"a.0": {nil, 1.0, nil}, "a.1": {nil, "x", nil}, "b": {1.0, nil, nil}},
		`{"instances":[{"a":` + long + `,"b":1},{"a":` + long + `,"a":` + long + `,"b":2}]}`: {"b": {1.0, 2.0}},
		`{"instances":[{"a":` + long + `,"a":5}]}`:                                           {"a": {5.0}},
		`{"inputs":{"a":["x","y"],"b":[1,2],"a":[3,4]}}`:                                     {"a": {3.0, 4.0}, "b": {1.0, 2.0}},
		`{"inputs":[7],"instances":[1,2]}`:                                                   {"input": {1.0, 2.0}},
		`{"inputs":{"a":[{"b64":"eA=="},{"b64":"eQ=="}],"k":{"b64":"eg=="}}}`:                {"a": {"eA==", "eQ=="}, "k": {"eg==", "eg=="}},
	} {
		got, _, err := readSide(d, "/v1/models/loans:predict", body)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%.80s: %v, %v, want %v", body, got, err, want)
		}
	}
}

// Named or not, a CSV of more columns than are taken apart is left out.
func TestWideCSVIsLeftOut(t *testing.T) {
	line := strings.Repeat("1,", 1999) + "0\n"
	for name, body := range map[string]string{"values": line, "names": strings.Repeat("a,", 1999) + "b\n" + line} {
		d := loansDecoders(t)
		obs, err := d.Decode(exchangeAt("/invocations", body, "7\n"))
		if err != nil || len(obs.Columns) != 1 || d.LeftOut() == nil || d.LeftOut().Reason != TooWide {
			t.Errorf("%s: %v, left out: %v", name, err, d.LeftOut())
		}
	}
}

// A name as long as a body is not repeated for each column of a tensor.
func TestLongTensorNamesAreLeftOut(t *testing.T) {
	x := exchange(`{"inputs":[{"name":"`+strings.Repeat("n", 1<<20)+`","shape":[1,1024],"datatype":"FP32","data":`+wideRow(1024)+`}]}`,
		`{"outputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[1]}]}`)
	d := loansDecoders(t)
	obs, err := d.Decode(x)
	if err != nil || len(obs.Columns) != 1 || d.LeftOut() == nil || len(d.LeftOut().Outline) > 200 {
		t.Errorf("%v, left out: %.300v", err, d.LeftOut())
	}
}

// Short bodies that stand for large tables are refused before they are made.
func TestTablesAreBounded(t *testing.T) {
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	empty := strings.Repeat("{},", 100_000)
	for name, body := range map[string]string{
		"sparse rows":      `{"instances":[{` + strings.Join(keys, ",") + `},` + empty + `{}]}`,
		"late keys":        `{"instances":[` + empty + `{` + strings.Join(keys, ",") + `}]}`,
		"nulls":            `{"instances":[` + wideRow(1000) + strings.Repeat(",null", 100_000) + `]}`,
		"constants":        `{"inputs":{"x":[` + strings.Repeat("1,", 100_000) + `1],` + strings.Join(keys, ",") + `}}`,
		"many rows":        `{"instances":[` + strings.Repeat("1,", 1<<20) + `1]}`,
		"many empty rows":  `{"instances":[` + strings.Repeat("{},", 1<<20) + `{}]}`,
		"shape of a giant": `{"data":{"tensor":{"shape":[2000000000,0],"values":[]}}}`,
	} {
		path := "/v1/models/loans:predict"
		if strings.HasPrefix(body, `{"data"`) {
			path = "/api/v1.0/predictions"
		}
		d := loansDecoders(t)
		start := time.Now()
		_, err := d.Decode(exchangeAt(path, body, `{"predictions":[1],"data":{"ndarray":[1]}}`))
		var f *Fault
		if !errors.As(err, &f) || f.Reason != ShapeMismatch {
			t.Errorf("%s: %v", name, err)
		}
		cells := 0
		for _, l := range d.reader.in.lists {
			cells += cap(l.numbers)
		}
		if cells > 8*maxPadded {
			t.Errorf("%s: memory for %d cells after %v", name, cells, time.Since(start))
		}
	}
}

// Memory that one exchange needed and the next ones do not is given up.
func TestIdleMemoryIsGivenUp(t *testing.T) {
	d := loansDecoders(t)
	big := exchangeAt("/v1/models/loans:predict", `{"instances":[`+strings.Repeat("["+strings.Repeat("1,", 999)+"0],", 1999)+wideRow(1000)+`]}`, predictions(2000))
	small := exchangeAt("/v1/models/loans:predict", `{"instances":[1]}`, `{"predictions":[1]}`)
	for _, x := range []*Exchange{big, small, small} {
		if _, err := d.Decode(x); err != nil {
			t.Fatal(err)
		}
	}
	if n := cap(d.reader.in.lists[0].numbers); n > maxIdle {
		t.Errorf("memory for %d cells is kept for one", n)
	}
}

func TestOpaqueRequestsAreNotUndecodable(t *testing.T) {
	var out bytes.Buffer
	l := NewFaultLog(slog.New(slog.NewTextHandler(&out, nil)), time.Minute, nil)
	d := loansDecoders(t)
	x := exchangeAt("/predictions/loans", "\x89PNG 4711", `{"cat":0.5}`)
	if _, err := d.Decode(x); err != nil {
		t.Fatal(err)
	}
	l.Record("loans", x, d.LeftOut())
	if l.Undecodable("loans") != 0 || l.Counts()["loans"][Opaque] != 1 {
		t.Errorf("counts %v, undecodable %d", l.Counts(), l.Undecodable("loans"))
	}
	if !strings.Contains(out.String(), "only its answer") || strings.Contains(out.String(), "4711") {
		t.Errorf("log: %s", out.String())
	}
}

// No fault tells a value, and after each of them the decoder goes on.
func TestFaultsTellNoValues(t *testing.T) {
	const secret = "99887766"
	d := fuzzedDecoders(t)
	n := 0
	for _, path := range []string{"/v1/models/loans:predict", "/invocations", "/predictions/loans", "/api/v1.0/predictions", "/mapped/rows", "/mapped/columns"} {
		for _, body := range []string{
			`{"instances":[[` + secret + `],[1,` + secret + `]]}`, `{"instances":[` + secret, secret + `,"`, `[` + secret + `}`, `"` + secret + `"`,
			`{"inputs":{"a":[` + secret + `],"b":[]}}`, `{"data":{"tensor":{"shape":[2],"values":[` + secret + `]}}}`, "a,b\n" + secret + "\n",
			`{"body":[[[1],[` + secret + `,2]]]}`, `{"dataframe_split":{"columns":["a"],"data":[["` + secret + `",1]]}}`, `{"instances":[["` + secret + `",{}]]}`,
		} {
			x := exchangeAt(path, body, `{"predictions":[1,2],"data":{"ndarray":[1,2]}}`)
			_, err := d.Decode(x)
			if err == nil {
				continue
			}
			n++
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", path, err)
			}
			if obs, err := d.Decode(exchangeAt("/v1/models/loans:predict", `{"instances":[1]}`, `{"predictions":[1]}`)); err != nil || obs.Rows != 1 {
				t.Errorf("%s: the decoder does not recover: %v", path, err)
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d faults", n)
	}
}
