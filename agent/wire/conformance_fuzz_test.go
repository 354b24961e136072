package wire

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/evenkeel/evenkeel/signal"
)

// readSide reads a request alone and gives its columns by name.
func readSide(d *Decoders, path, body string) (map[string][]any, int, *Fault) {
	d.to, _ = d.route(path)
	r := &d.reader
	x := exchangeAt(path, body, "")
	if err := r.begin(x, &d.to); err != nil {
		return nil, 0, err
	}
	if err := r.side(&r.in, r.request, d.to.form.request, "request"); err != nil {
		return nil, 0, err
	}
	r.observed.Columns = r.observed.Columns[:0]
	if err := r.addColumns(&r.in, signal.TargetFeature); err != nil {
		return nil, 0, err
	}
	out := map[string][]any{}
	for i := range r.observed.Columns {
		c := &r.observed.Columns[i]
		values := make([]any, 0, r.in.rows)
		for _, x := range c.Numbers {
			if math.IsNaN(x) {
				values = append(values, nil)
			} else {
				values = append(values, x)
			}
		}
		for i, s := range c.Strings {
			if c.Missing != nil && c.Missing[i] {
				values = append(values, nil)
			} else {
				values = append(values, s)
			}
		}
		out[string(c.Name)] = values
	}
	return out, r.in.rows, nil
}

func fuzzedDecoders(t testing.TB) *Decoders {
	t.Helper()
	models := map[string]Model{"loans": {}}
	for _, f := range []Form{RowsForm, ColumnsForm, RowForm, AnyForm} {
		name := string(f)
		if f == AnyForm {
			name = "any"
		}
		models[name] = Model{Protocol: Mapped, Path: "/mapped/" + name, Inputs: Side{At: "/body/0", Form: f}}
	}
	d, err := NewDecoders(Options{Models: models})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// seedBodies adds the requests in testdata.
func seedBodies(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, body := cutHead(section(txtar.Parse(raw), "request"))
		f.Add(string(body))
	}
	for _, seed := range []string{
		`{"instances":[{"a":null},{"a":[1,null]},{"a":null}]}`, `{"instances":[null,[1,true],null]}`, `{"instances":[[],[]]}`,
		`{"inputs":{"a":{"b":[1,"x"],"c":null},"d":true}}`, `{"dataframe_split":{"data":[[1]],"columns":["x"],"columns":["y"]}}`,
		`{"body":[{"a":[[1,2],[3,4]],"b":[true,false],"c":"k"}]}`, `{"body":[[[1,true],["x",false]]]}`, `{"data":{"tensor":{"shape":[0,3],"values":[]}}}`,
		`{"instances":[1e999,-0,12345678901234567890]}`, `{"instances":[["a",1e21,-0,1e-7,0.5]]}`, `[[1,2],3]`, `{"strData":["a","b"]}`,
	} {
		f.Add(seed)
	}
}

// FuzzProtocols holds the reading of every protocol's requests against the
// reference.
func FuzzProtocols(f *testing.F) {
	seedBodies(f)
	d := fuzzedDecoders(f)
	f.Fuzz(func(t *testing.T, body string) {
		if !utf8.ValidString(body) || !comparableJSON([]byte(body)) {
			return
		}
		tree, valid := reference([]byte(body))
		for path, read := range referenceReadings {
			compareWithReference(t, d, path, body, tree, valid, read)
		}
	})
}

func compareWithReference(t *testing.T, d *Decoders, path, body string, tree any, valid bool, read referenceReading) {
	got, rows, fault := readSide(d, path, body)
	if d.reader.in.opaque || path == "/invocations" && !isJSON([]byte(body)) {
		return // no JSON, which other tests are about
	}
	if !valid {
		if fault == nil && path != "/invocations" { // there it may be JSON lines
			t.Fatalf("%s: %q is not JSON and gave %v", path, body, got)
		}
		return
	}
	want := newReferenceTable()
	err := read(want, tree)
	if errors.Is(err, errSeveral) || d.reader.leftOut != nil {
		return
	}
	var columns map[string][]any
	if err == nil {
		columns, err = want.columns()
	}
	switch {
	case (err == nil) != (fault == nil):
		t.Fatalf("%s: %q: fault %v, reference says %v", path, body, fault, err)
	case err == nil && rows != want.rows:
		t.Fatalf("%s: %q: %d rows, want %d", path, body, rows, want.rows)
	case err == nil && rows > 0 && !sameColumns(got, columns):
		t.Fatalf("%s: %q:\n%v, want\n%v", path, body, got, columns)
	}
}

// FuzzCSV holds the reader of CSV against encoding/csv.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "1,\"x\"\"y\r\n\"\r\n2,z\r\n", "\n\n1\n\r\n2", "a\r", "\"a\"\r", "a\rb,c", "\"a\"b", "a\"b", "\"a", "1.5,-0,+7,1e3,007,.5,5.,NA\n",
		",\n,\n", "\"\"\n\"\"", "1\r\r\n", "\r\n", "\xff,\"\xfe\"", "\ufeffa,b\n", "9007199254740993,0.1234567890123456789,1e999", "1\r2,3",
	} {
		f.Add(seed, 0)
		f.Add(seed, 1)
	}
	d := fuzzedDecoders(f)
	f.Fuzz(func(t *testing.T, text string, answered int) {
		if len(text) > 4096 || isJSON([]byte(text)) || strings.HasPrefix(text, byteOrderMark+byteOrderMark) {
			return
		}
		compareCSV(t, d, text, answered)
	})
}

func compareCSV(t *testing.T, d *Decoders, text string, answered int) {
	d.to, _ = d.route("/invocations")
	r := &d.reader
	if err := r.begin(exchangeAt("/invocations", text, ""), &d.to); err != nil {
		t.Fatal(err)
	}
	r.out.rows = answered
	r.bad = nil
	r.scan.begin([]byte(text))
	r.csv(&r.in)
	fault := r.scan.err
	if fault == nil {
		fault = r.bad
	}
	records, err := csvRecordsOf(strings.TrimPrefix(text, byteOrderMark))
	var header []string
	if err == nil && answered > 0 && len(records) == answered+1 {
		header, records = records[0], records[1:]
	}
	for _, record := range records {
		if len(record) != len(records[0]) {
			err = errNoTable
		}
	}
	if (err == nil) != (fault == nil) {
		t.Fatalf("%q: fault %v, encoding/csv says %v", text, fault, err)
	}
	if err != nil {
		return
	}
	names := []string{}
	for _, n := range r.in.header {
		names = append(names, string(n))
	}
	if len(names) != len(header) || len(names) > 0 && !reflect.DeepEqual(names, header) {
		t.Fatalf("%q: names %q, want %q", text, names, header)
	}
	l := &r.in.lists[0]
	if r.in.rows != len(records) {
		t.Fatalf("%q: %d rows, want %d", text, r.in.rows, len(records))
	}
	for i, record := range records {
		for j, field := range record {
			if got, want := cellAt(l, i*len(record)+j), csvCell(field); got != want {
				t.Fatalf("%q: row %d, value %d: %s, want %s", text, i, j, got, want)
			}
		}
	}
}

func csvRecordsOf(text string) ([][]string, error) {
	from := csv.NewReader(strings.NewReader(text))
	from.FieldsPerRecord = -1
	records, err := from.ReadAll()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return records, nil
}

// cellAt and csvCell describe a cell for comparison.
func cellAt(l *list, i int) string {
	if l.mixed && l.kinds[i] == textCell {
		return fmt.Sprintf("%q", l.texts[i])
	}
	return fmt.Sprint(l.numbers[i])
}

func csvCell(field string) string {
	var l list
	l.begin("")
	l.field(field)
	return cellAt(&l, 0)
}

// FuzzDecoders takes any two bodies at any URL: there is an observation that is
// whole, or a fault.
func FuzzDecoders(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		archive := txtar.Parse(raw)
		head, request := cutHead(section(archive, "request"))
		_, response := cutHead(section(archive, "response"))
		f.Add(strings.Fields(string(head))[1], request, response, "")
	}
	f.Add("/mapped/any", []byte(`{"body":[[1]]}`), []byte(`[1]`), "7")
	d := fuzzedDecoders(f)
	f.Fuzz(func(t *testing.T, path string, request, response []byte, length string) {
		x := exchange("", "")
		x.Path, x.Request.Body, x.Response.Body, x.Request.JSONLength = path, request, response, length
		obs, err := d.Decode(x)
		if f := new(Fault); err != nil && !errors.As(err, &f) {
			t.Fatalf("%v is no fault", err)
		}
		if err == nil {
			checkWhole(t, obs)
		}
	})
}
