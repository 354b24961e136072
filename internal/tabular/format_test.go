package tabular

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestFormatOf(t *testing.T) {
	for _, c := range []struct {
		path, named string
		want        Format
		err         string
	}{
		{"a.csv", "", CSV, ""},
		{"a.b/A.NDJSON", "", JSONLines, ""},
		{"a.jsonl", "", JSONLines, ""},
		{"a.parquet", "", Parquet, ""},
		{"a.pq", "", Parquet, ""},
		{"a.csv", "parquet", Parquet, ""},
		{"a", "csv", CSV, ""},
		{"a.txt", "", "", "the format of a.txt cannot be told from its name; say it with --format: csv, jsonl, parquet"},
		{"a", "", "", "cannot be told"},
		{"a.json", "", "", "if it holds one object a line, say --format jsonl"},
		{"a.csv", "parqet", "", `"parqet" is no format; did you mean "parquet"?`},
		{"a.csv", "excel", "", "it is one of csv, jsonl, parquet"},
	} {
		got, err := FormatOf(c.path, c.named)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q as %q: %q, %v; want %q, %q", c.path, c.named, got, err, c.want, c.err)
		}
	}
}

// The same table in three formats is one table.
func TestFormatsAgree(t *testing.T) {
	age, code, member := 31.5, int64(7), true
	rows := []person{{&age, &code, &member, "Rome"}, {nil, nil, nil, "Oslo"}, {&age, nil, &member, ""}}
	files := map[Format][]byte{
		CSV:       []byte("age,code,member,city\n31.5,7,true,Rome\n,,,Oslo\n31.5,,true,\n"),
		JSONLines: []byte(`{"age":31.5,"code":7,"member":true,"city":"Rome"}` + "\n" + `{"city":"Oslo"}` + "\n\n" + `{"member":true,"code":null,"age":31.5,"city":""}`),
		Parquet:   parquetOf(t, rows),
	}
	want := [][]string{{"31.5", "7", "true", "Rome"}, {"", "", "", "Oslo"}, {"31.5", "", "true", ""}}
	for format, raw := range files {
		file := bytes.NewReader(raw)
		for range 2 { // a second pass starts again
			r, err := Open("people", format, file)
			if err != nil {
				t.Fatal(err)
			}
			if got := allRows(t, r); !slices.EqualFunc(got, want, slices.Equal[[]string]) {
				t.Errorf("%s: %q", format, got)
			}
			if want := []string{"age", "code", "member", "city"}; !slices.Equal(r.Header(), want) {
				t.Errorf("%s: columns %q", format, r.Header())
			}
			if r.Offset() != int64(len(raw)) {
				t.Errorf("%s: %d of %d bytes read", format, r.Offset(), len(raw))
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		r, err := Open("people", format, file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Examine(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Rows != 3 || !s.Columns[0].Numeric() || !s.Columns[1].Numeric() || !s.Columns[2].Boolean() || s.Columns[3].Texts != 2 || s.Columns[3].Missing != 1 {
			t.Errorf("%s: %+v", format, s)
		}
	}
}
