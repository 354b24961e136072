package tabular

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// allRows copies the rows that are left.
func allRows(t testing.TB, r *Reader) [][]string {
	t.Helper()
	var rows [][]string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, slices.Clone(row))
	}
}

// fataler is what testing.TB and rapid.T have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func jsonReader(t fataler, text string) *Reader {
	t.Helper()
	r, err := NewJSONLines("x.jsonl", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestJSONLinesGrowColumns(t *testing.T) {
	r := jsonReader(t, "\xef\xbb\xbf"+`{"a":1,"who":{"age":-2.5e3,"name":"Zo\u00eb \"Z\""}}`+"\r\n"+
		"  \n"+`{ "b" : "x" , "a" : null, "who": {} }`+"\n"+`{"c":NaN,"b":true,"a":-Infinity}`)
	got := allRows(t, r)
	want := [][]string{{"1", "-2.5e3", `Zoë "Z"`}, {"", "", "", "x"}, {"-Infinity", "", "", "true", "NaN"}}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got %q", got)
	}
	if want := []string{"a", "who.age", "who.name", "b", "c"}; !slices.Equal(r.Header(), want) {
		t.Errorf("columns %q", r.Header())
	}
}

// What only some rows have is missing in the others, in both passes.
func TestExamineAndLoadColumnsThatComeLate(t *testing.T) {
	text := `{"a":1}` + "\n" + `{"b":"x"}` + "\n" + `{"a":3,"b":"y"}` + "\n"
	s, err := Examine(jsonReader(t, text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range s.Columns {
		if c.Missing != 1 || c.Distinct != 2 {
			t.Errorf("column %d: %+v", i, c)
		}
	}
	if s.Columns[1].At != "x.jsonl:2:6" {
		t.Errorf("first text at %s", s.Columns[1].At)
	}
	values, err := Load(jsonReader(t, text), []Want{{Column: 1}, {Column: 0, Numeric: true}}, s.Rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(values[0].Missing, []bool{true, false, false}) || !slices.Equal(values[0].Texts, []string{"", "x", "y"}) {
		t.Errorf("b: %+v", values[0])
	}
	if a := values[1].Numbers; a[0] != 1 || !math.IsNaN(a[1]) || a[2] != 3 {
		t.Errorf("a: %v", a)
	}
}

func TestJSONLinesNameThePlaceAndTheCure(t *testing.T) {
	const good = `{"a":1}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "x.jsonl: the file is empty; each line must be a JSON object"},
		"UTF-16":         {"\xff\xfe{\x00", "x.jsonl:1:1: the file is in UTF-16; save it as UTF-8"},
		"array":          {"[" + good + "]", "x.jsonl:1:1: the file is one JSON array; write one object a line, for example with jq -c '.[]'"},
		"no object":      {good + " 7", "x.jsonl:2:2: the line is not a JSON object"},
		"no end":         {good + `{"a":1`, "x.jsonl:2:7: a comma or } is missing; correct the line; jq . shows where it breaks"},
		"no end of text": {good + `{"a":"b}`, "x.jsonl:2:6: the text has no end"},
		"no colon":       {`{"a" 1}`, "x.jsonl:1:6: a colon is missing"},
		"no quotes":      {`{a:1}`, "x.jsonl:1:2: a key in double quotes is missing"},
		"comma at end":   {`{"a":1,}`, "x.jsonl:1:8: a key in double quotes is missing"},
		"no value":       {`{"a":}`, "x.jsonl:1:6: a value is missing, or a text is not in double quotes"},
		"bare word":      {`{"a":yes}`, "x.jsonl:1:6: a value is missing, or a text is not in double quotes"},
		"no number":      {`{"a":01}`, "x.jsonl:1:6: a value is missing"},
		"list":           {good + good + `{"a":[1,2]}`, `x.jsonl:3:6: column "a" holds a list; write one value for each column, or leave the list out`},
		"twice":          {`{"a":1,"a":2}`, `x.jsonl:1:12: "a" is there twice; keep one of them`},
		"twice, nested":  {`{"a":{"b":1},"a.b":2}`, `"a.b" is there twice`},
		"no name":        {`{"":1}`, "x.jsonl:1:2: the key is empty; name the column"},
		"two objects":    {`{"a":1} {"a":2}`, "x.jsonl:1:9: something follows the object; write one object a line"},
		"not UTF-8":      {good + "{\"a\":\"caf\xe9\"}", "x.jsonl:2:10: not UTF-8; convert the file, for example with iconv -f latin1 -t utf-8"},
		"bad escape":     {`{"a":"\x"}`, "x.jsonl:1:6: an escape in the text is none of JSON's"},
		"control":        {"{\"a\":\"b\tc\"}", "x.jsonl:1:8: a control character stands in a text"},
		"deep":           {strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17), "x.jsonl:1:81: objects are nested too deeply"},
		"long":           {good + `{"a":"` + strings.Repeat("x", maxJSONLine), "x.jsonl:2:1: the line is longer than 16 MiB; write one object a line"},
		"many columns":   {manyKeys(maxJSONColumns + 1), `x.jsonl:1:98901: "k10000" would be column 10001; keys name columns; write what varies as values`},
	} {
		err := read(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read JSON lines: ") || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func manyKeys(n int) string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":0`, i)
	}
	return "{" + strings.Join(keys, ",") + "}"
}

// read gives the first error of a file.
func read(text string) error {
	r, err := NewJSONLines("x.jsonl", strings.NewReader(text))
	for err == nil {
		_, err = r.Next()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func TestLongLinesAreWhole(t *testing.T) {
	long := strings.Repeat("long ", 40_000) // more than the buffer
	rows := allRows(t, jsonReader(t, `{"a":"`+long+`"}`+"\n"+`{"a":"b"}`))
	if len(rows) != 2 || rows[0][0] != long || rows[1][0] != "b" {
		t.Errorf("%d rows", len(rows))
	}
}

func TestJSONLinesOfABrokenDisk(t *testing.T) {
	r, err := NewJSONLines("x.jsonl", io.MultiReader(strings.NewReader(`{"a":1}`+"\n"), brokenDisk{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.Next(); err == nil {
		_, err = r.Next()
	}
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("got %v", err)
	}
}

// FuzzJSONLines holds the scanner against encoding/json: it takes the same
// lines and finds the same values, but for lists, keys that are there twice or
// empty, deep nesting, bytes that are not UTF-8, and NaN and the infinities.
func FuzzJSONLines(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":"x","c":true,"d":null,"e":{"f":-1.5e-3}}`, `{}`, ` { "\u0061" : "\ud83d\ude00\n" } `, `{"a":01}`, `{"a":[1]}`,
		`{"a":1,"a":2}`, `{"a":NaN}`, `{"a":1}}`, `{"a":"\ud800"}`, `{"a":1e5,}`, "{\"a\":\"\x00\"}", `{"a":-}`, `{"a":0.}`, `{"a":1E+}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\r\n") || strings.TrimSpace(line) == "" || line[0] == '[' || strings.HasPrefix(line, "\xef\xbb\xbf") {
			t.Skip("not one line of a file")
		}
		r, err := NewJSONLines("x.jsonl", strings.NewReader(line))
		if err != nil {
			return
		}
		row, err := r.Next()
		want, wantErr := reference(line)
		if errors.Is(wantErr, errBeyond) {
			return
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: got %v, want %v", line, err, wantErr)
		}
		if err != nil {
			return
		}
		if len(row) != len(want) {
			t.Fatalf("%q: %d values, want %d", line, len(row), len(want))
		}
		for i, column := range r.Header() {
			if row[i] != want[column] {
				t.Fatalf("%q: %s is %q, want %q", line, column, row[i], want[column])
			}
		}
	})
}

// errBeyond marks lines on which the two differ by intent.
var errBeyond = errors.New("beyond what is compared")

// reference reads one line with encoding/json.
func reference(line string) (map[string]string, error) {
	if strings.Contains(line, "NaN") || strings.Contains(line, "Infinity") || strings.ToValidUTF8(line, "") != line {
		return nil, errBeyond
	}
	if !json.Valid([]byte(line)) {
		return nil, errors.New("not JSON")
	}
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	cells := map[string]string{}
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	return cells, flatten(d, "", 0, cells)
}

func flatten(d *json.Decoder, prefix string, depth int, cells map[string]string) error {
	if depth == maxJSONDepth {
		return errBeyond
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key := token.(string)
		if strings.TrimSpace(key) == "" {
			return errBeyond
		}
		column := prefix + key
		if token, err = d.Token(); err != nil {
			return err
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '[' {
				return errBeyond
			}
			if err := flatten(d, column+".", depth+1, cells); err != nil {
				return err
			}
			continue
		case nil:
			token = ""
		}
		if _, twice := cells[column]; twice {
			return errBeyond
		}
		cells[column] = fmt.Sprint(token)
	}
	_, err := d.Token()
	return err
}

func BenchmarkJSONLines(b *testing.B) {
	var text bytes.Buffer
	for i := range 10_000 {
		fmt.Fprintf(&text, `{"x": %v, "y": %d, "city": "%s", "member": %v}`+"\n", math.Sqrt(float64(i)), i, []string{"Rome", "Oslo"}[i%2], i%3 == 0)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewJSONLines("x.jsonl", bytes.NewReader(text.Bytes()))
		for err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
