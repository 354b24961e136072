package tabular

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// readAll gives the rows of a text, copied.
func readAll(text string) (header []string, rows [][]string, err error) {
	r, err := NewCSV("x.csv", strings.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Header(), rows, nil
		}
		if err != nil {
			return r.Header(), rows, err
		}
		rows = append(rows, slices.Clone(row))
	}
}

func TestReaderNamesPlaceAndCure(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "x.csv: the file is empty; the first line must name the columns"},
		"only blank lines":   {"\n\n", "x.csv: the file is empty"},
		"UTF-16":             {"\xff\xfea\x00", "x.csv:1:1: the file is in UTF-16; save it as UTF-8"},
		"semicolons":         {"a;b\n", `not separated by commas: "a;b"; save it with commas`},
		"tabs":               {"a\tb\n", "save it with commas"},
		"no name":            {"a,,c\n", "x.csv:1:3: column 2 has no name; name it in the first line, or write the file without an index column"},
		"same name":          {"a, a\n", `x.csv:1:3: columns 1 and 2 are both called "a"; rename one of them`},
		"too many cells":     {"a,b\n1,2\n\n1,2,3\n", "x.csv:4:1: the row's number of cells is not the header's 2; look for a comma too many"},
		"too few cells":      {"a,b\n1\n", "x.csv:2:1: the row's number of cells"},
		"bare quote":         {"a\n6\" pipe\n", "x.csv:2:2: bare \" in non-quoted-field; a text that holds a quote"},
		"quote never closed": {"a\n\"open\n\n", "x.csv:"},
		"not UTF-8":          {"a,b\nx,caf\xe9\n", `x.csv:2:3: "caf\xe9" is not UTF-8; convert the file`},
		"header not UTF-8":   {"caf\xe9\n", "x.csv:1:1: "},
	} {
		_, _, err := readAll(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestReaderReadsWhatIsOdd(t *testing.T) {
	header, rows, err := readAll("\xef\xbb\xbf a ,b\r\n\"x, y\",\"two\nlines\"\r\n\n3,\"a \"\"quote\"\"\"")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b"}; !slices.Equal(header, want) {
		t.Errorf("header %q, want %q", header, want)
	}
	want := [][]string{{"x, y", "two\nlines"}, {"3", `a "quote"`}}
	if !slices.EqualFunc(rows, want, slices.Equal) {
		t.Errorf("rows %q, want %q", rows, want)
	}
}

type brokenDisk struct{}

func (brokenDisk) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestReaderPassesOnWhatTheDiskSays(t *testing.T) {
	r, err := NewCSV("x.csv", io.MultiReader(strings.NewReader("a\n1\n"), brokenDisk{}))
	if err == nil {
		_, err = r.Next()
	}
	if err == nil {
		_, err = r.Next()
	}
	if err == nil || !strings.Contains(err.Error(), "read x.csv: disk on fire") {
		t.Errorf("got %v", err)
	}
}

func TestSlice(t *testing.T) {
	const text = "a\n0\n1\n2\n3\n4\n"
	for _, c := range []struct {
		from, to int
		want     string
	}{{0, 0, "01234"}, {1, 3, "12"}, {3, 0, "34"}, {0, 9, "01234"}, {5, 0, ""}, {9, 12, ""}} {
		r, err := NewCSV("x.csv", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		r.Slice(c.from, c.to)
		got := ""
		for {
			row, err := r.Next()
			if err != nil {
				break
			}
			got += row[0]
		}
		if got != c.want {
			t.Errorf("rows %d:%d: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

// What encoding/csv writes is read back.
func TestRowsReadBack(t *testing.T) {
	cell := rapid.StringMatching(`[a-z0-9 ,"é\n]{0,6}x`)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "columns")
		header := []string{"a", "b", "c", "d"}[:n]
		rows := rapid.SliceOf(rapid.SliceOfN(cell, n, n)).Draw(t, "rows")
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		if err := errors.Join(w.Write(header), w.WriteAll(rows)); err != nil {
			t.Fatal(err)
		}
		gotHeader, got, err := readAll(file.String())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(gotHeader, header) || !slices.EqualFunc(got, rows, slices.Equal) {
			t.Fatalf("wrote %q\nread  %q", rows, got)
		}
	})
}

// Whatever the bytes: rows as wide as the header, or an error that a person
// can act on.
func FuzzReader(f *testing.F) {
	f.Add("a,b\n1,2\n")
	f.Add("\xef\xbb\xbfa\n\"x\"\"\n")
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		header, rows, err := readAll(text)
		if err != nil && errs.KindOf(err) != errs.Invalid {
			t.Fatalf("%v is not called invalid", err)
		}
		for _, row := range rows {
			if len(row) != len(header) {
				t.Fatalf("row %q under header %q", row, header)
			}
		}
	})
}
