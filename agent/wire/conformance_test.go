package wire

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/evenkeel/evenkeel/signal"
)

var update = flag.Bool("update", false, "write what the exchanges in testdata are decoded to anew")

// TestConformance decodes every exchange in testdata/PROTOCOL/CASE.txt, which
// holds a request, its answer, and the observation that they must give; models
// is the configuration, without it any model is decoded that the URL names.
func TestConformance(t *testing.T) {
	for _, p := range Protocols() {
		files, err := filepath.Glob(filepath.Join("testdata", string(p), "*.txt"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no exchanges (%v)", p, err)
		}
		for _, file := range files {
			t.Run(string(p)+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { conforms(t, p, file) })
		}
	}
}

func conforms(t *testing.T, p Protocol, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(raw)
	d, err := NewDecoders(Options{Models: modelsIn(t, archive)})
	if err != nil {
		t.Fatal(err)
	}
	request := section(archive, "request")
	x := exchangeIn(t, request, section(archive, "response"))
	r, _ := readRequest(t, request)
	model, wanted := d.Wants(r)
	if wanted && model == "" { // only the message names it
		model, wanted = d.ModelOf(x.Path, x.Request.ContentEncoding, x.Request.Body)
	}
	for range 2 { // the memory is reused
		obs, err := d.Decode(x)
		if wanted && err == nil && obs.Model.Name != model {
			t.Errorf("the request is of model %q, the observation of %q", model, obs.Model.Name)
		}
		if !wanted && err == nil {
			t.Error("decoded, though not wanted")
		}
		checkWhole(t, obs)
		got := describe(t, obs, d.LeftOut(), err)
		if *update {
			setSection(archive, "observation", got)
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := section(archive, "observation"); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%swant\n%s", p, got, want)
		}
	}
}

func modelsIn(t *testing.T, a *txtar.Archive) map[string]Model {
	t.Helper()
	text := section(a, "models")
	if text == nil {
		return nil
	}
	var models map[string]Model
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&models); err != nil {
		t.Fatalf("models: %v", err)
	}
	return models
}

func section(a *txtar.Archive, name string) []byte {
	for i := range a.Files {
		if a.Files[i].Name == name {
			return a.Files[i].Data
		}
	}
	return nil
}

func setSection(a *txtar.Archive, name string, data []byte) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = data
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: data})
}

// exchangeIn makes what the tap would hand over.
func exchangeIn(t *testing.T, request, response []byte) *Exchange {
	t.Helper()
	r, requestBody := readRequest(t, request)
	answer, answerBody := readAnswer(t, r, response)
	return &Exchange{
		Path: r.URL.Path, Status: answer.StatusCode, End: answered,
		ID: r.Header.Get("X-Request-Id"), Trace: r.Header.Get("Traceparent"),
		Request:  messageOf(r.Header, requestBody),
		Response: messageOf(answer.Header, answerBody),
	}
}

func messageOf(h http.Header, body []byte) Message {
	return Message{Body: body, ContentEncoding: h.Get("Content-Encoding"), JSONLength: h.Get(HeaderJSONLength)}
}

func readRequest(t *testing.T, text []byte) (*http.Request, []byte) {
	t.Helper()
	head, body := cutHead(text)
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err != nil {
		t.Fatalf("request: %v", err)
	}
	return r, plainBody(t, r.Header, body)
}

func readAnswer(t *testing.T, r *http.Request, text []byte) (*http.Response, []byte) {
	t.Helper()
	head, body := cutHead(text)
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), r)
	if err != nil {
		t.Fatalf("response: %v", err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer, plainBody(t, answer.Header, body)
}

// cutHead separates the head of a message, with its empty line, from the body.
func cutHead(text []byte) (head, body []byte) {
	i := bytes.Index(text, []byte("\n\n"))
	if i < 0 {
		return append(text, '\n'), nil
	}
	return text[:i+2], text[i+2:]
}

// plainBody undoes the base64 in which bodies that are no text stand in a file.
func plainBody(t *testing.T, h http.Header, body []byte) []byte {
	t.Helper()
	if h.Get("Content-Transfer-Encoding") != "base64" {
		return body
	}
	out, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(body), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// described is an observation in a form that people read.
type described struct {
	Fault   string            `json:",omitempty"`
	Model   string            `json:",omitempty"`
	Request string            `json:",omitempty"`
	TraceID string            `json:",omitempty"`
	Rows    int               `json:",omitempty"`
	Columns []describedColumn `json:",omitempty"`
	LeftOut string            `json:",omitempty"`
}

type describedColumn struct {
	Name   signal.FeatureName
	Target signal.Target
	Values json.RawMessage // null: missing
}

func describe(t *testing.T, obs *signal.Observation, left *Fault, err error) []byte {
	t.Helper()
	var d described
	if left != nil {
		d.LeftOut = left.Error()
	}
	if err != nil {
		if f := new(Fault); !errors.As(err, &f) {
			t.Fatalf("%v is no fault", err)
		}
		d.Fault = err.Error()
	} else {
		d.Model, d.Request, d.TraceID, d.Rows = obs.Model.String(), obs.Request, obs.TraceID, obs.Rows
		for i := range obs.Columns {
			c := &obs.Columns[i]
			values, err := json.Marshal(valuesOf(c))
			if err != nil {
				t.Fatal(err)
			}
			d.Columns = append(d.Columns, describedColumn{c.Name, c.Target, values})
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		t.Fatal(err)
	}
	var flat bytes.Buffer
	flattenValues(&flat, out.String())
	return flat.Bytes()
}

// flattenValues puts the values of a column back on one line.
func flattenValues(to *bytes.Buffer, indented string) {
	inside := false
	for line := range strings.Lines(indented) {
		bare := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(bare, `"Values": [`) && !strings.HasSuffix(bare, "]"):
			inside = true
			to.WriteString(strings.TrimRight(line, "\n"))
		case inside:
			to.WriteString(bare)
			if strings.HasSuffix(bare, ",") {
				to.WriteByte(' ')
			}
			if bare == "]" {
				inside = false
				to.WriteByte('\n')
			}
		default:
			to.WriteString(line)
		}
	}
}

// valuesOf gives the values of a column: nil where one is missing, and an
// infinite number as text, as JSON has neither.
func valuesOf(c *signal.Column) []any {
	out := []any{}
	for _, x := range c.Numbers {
		switch {
		case math.IsNaN(x):
			out = append(out, nil)
		case math.IsInf(x, 0):
			out = append(out, "an infinite number")
		default:
			out = append(out, x)
		}
	}
	for i, s := range c.Strings {
		if c.Missing != nil && c.Missing[i] {
			out = append(out, nil)
		} else {
			out = append(out, strings.Clone(s))
		}
	}
	return out
}

// checkWhole holds an observation to what signal.Observation promises.
func checkWhole(t testing.TB, obs *signal.Observation) {
	t.Helper()
	if obs == nil {
		return
	}
	for _, c := range obs.Columns {
		n := len(c.Numbers) + len(c.Strings)
		if n != obs.Rows || c.Numbers != nil && c.Strings != nil || c.Missing != nil && len(c.Missing) != obs.Rows {
			t.Fatalf("column %q has %d values and %d marks in %d rows", c.Name, n, len(c.Missing), obs.Rows)
		}
	}
}

// Nothing of a model is decoded but the protocol and the path that the
// configuration states, if it states any.
func TestProtocolOfAModelIsHeld(t *testing.T) {
	d, err := NewDecoders(Options{Models: map[string]Model{
		"loans": {Protocol: KServeV1}, "cards": {}, "own": {Protocol: Mapped, Path: "/own/{version}/*"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, path := range []string{
		"/v1/models/loans:predict", "/v2/models/loans/infer", "/v1/models/cards:predict", "/v2/models/cards/infer",
		"/v1/models/own:predict", "/v1/models/other:predict", "/invocations", "/own/7/x", "/own/7", "/own//x", "/own/7/x/y",
	} {
		r, err := http.NewRequest(http.MethodPost, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if model, ok := d.Wants(r); ok {
			got[path] = model
		}
		r.Method = http.MethodGet
		if _, ok := d.Wants(r); ok {
			t.Errorf("GET %s is wanted", path)
		}
	}
	want := map[string]string{
		"/v1/models/loans:predict": "loans", "/v1/models/cards:predict": "cards", "/v2/models/cards/infer": "cards",
		"/invocations": "cards", "/own/7/x": "own",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("wanted %v,\nwant %v", got, want)
	}
}
