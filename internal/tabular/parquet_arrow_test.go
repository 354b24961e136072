package tabular

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The same table as Apache Arrow's writer (pyarrow 26) writes it: in row groups
// of two rows with Snappy and pages of version 2, and in one row group with gzip,
// without dictionaries, with instants as INT96.
func TestParquetOfAnotherWriter(t *testing.T) {
	columns := []string{"age", "big", "city", "day", "member", "price", "small", "when", "who.name", "who.age"}
	want := [][]string{
		{"31.5", "18446744073709551615", "Rome", "1969-12-31", "true", "12.34", "-128", "2024-02-29T23:59:59.25Z", "Ada", "36"},
		{"", "0", "Oslo", "", "false", "-0.05", "127", "", "", "1"},
		{"NaN", "1", "", "2024-02-29", "", "", "", "1900-01-01T00:00:00Z", "", ""},
		{"-1e-09", "", "Rome", "2000-01-01", "true", "0.00", "0", "2000-01-01T00:00:00Z", "Bo", ""},
		{"45", "7", "Ünï", "0001-01-01", "false", "99999999999999999999.99", "1", "2000-01-01T00:00:00Z", "", "2"},
	}
	for _, name := range []string{"arrow.parquet", "arrow_int96.parquet"} {
		file, err := os.Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		r, err := Open(name, Parquet, file)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Header(); !slices.Equal(got, columns) {
			t.Errorf("%s: columns %q", name, got)
		}
		got := allRows(t, r)
		for i := range want {
			if i >= len(got) || !slices.Equal(got[i], want[i]) {
				t.Errorf("%s: row %d of %d\ngot  %q\nwant %q", name, i, len(got), got[min(i, len(got)-1)], want[i])
			}
		}
	}
}
