package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/errs"
)

type person struct {
	Age    *float64 `parquet:"age,optional"`
	Code   *int64   `parquet:"code,optional"`
	Member *bool    `parquet:"member,optional"`
	City   string   `parquet:"city"`
}

// parquetOf writes rows, two to a row group.
func parquetOf[T any](t testing.TB, rows []T) []byte {
	t.Helper()
	var raw bytes.Buffer
	w := parquet.NewGenericWriter[T](&raw, parquet.Compression(&parquet.Zstd))
	for part := range slices.Chunk(rows, 2) {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes()
}

func openParquet(raw []byte) (*Reader, error) {
	return NewParquet("x.parquet", bytes.NewReader(raw), int64(len(raw)))
}

func TestParquetTypesAsText(t *testing.T) {
	type name struct {
		First string `parquet:"first"`
	}
	type row struct {
		Flag    bool      `parquet:"flag"`
		Small   int32     `parquet:"small"`
		Big     uint64    `parquet:"big"`
		Half    float32   `parquet:"half"`
		Real    float64   `parquet:"real"`
		Nothing float64   `parquet:"nothing"`
		Text    string    `parquet:"text,dict"`
		Price   int64     `parquet:"price,decimal(2:12)"`
		Day     int32     `parquet:"day,date"`
		Instant time.Time `parquet:"instant,timestamp(microsecond)"`
		ID      [16]byte  `parquet:"id,uuid"`
		Name    *name     `parquet:"name,optional"`
	}
	raw := parquetOf(t, []row{{
		true, -7, math.MaxUint64, 0.1, 1e21, math.NaN(), "Ünï", -5, -1, time.Date(1969, 12, 31, 23, 59, 59, 250_000_000, time.UTC),
		[16]byte{0x12, 0x34, 15: 0xff},
		&name{"Ada"},
	}, {}})
	r, err := openParquet(raw)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i, column := range r.Header() {
		got[column] = first[i]
	}
	for column, want := range map[string]string{
		"flag": "true", "small": "-7", "big": "18446744073709551615", "half": "0.10000000149011612", "real": "1e+21", "nothing": "NaN",
		"text": "Ünï", "price": "-0.05", "day": "1969-12-31", "instant": "1969-12-31T23:59:59.25Z",
		"id": "12340000-0000-0000-0000-0000000000ff", "name.first": "Ada",
	} {
		if got[column] != want {
			t.Errorf("%s: %q, want %q", column, got[column], want)
		}
	}
	second, err := r.Next()
	if i := slices.Index(r.Header(), "name.first"); err != nil || second[i] != "" {
		t.Errorf("a group that is null: %q, %v", second[i], err)
	}
}

func TestRareParquetTypes(t *testing.T) {
	for _, c := range []struct {
		write cellWriter
		value parquet.Value
		want  string
	}{
		{writeInt96, parquet.Int96Value(deprecated.Int96{1_000_000_000, 0, 2440588}), "1970-01-01T00:00:01Z"},
		{unsignedWriter(parquet.Int32), parquet.Int32Value(-1), "4294967295"},
		{decimalWriter(parquet.ByteArray, 3), parquet.ByteArrayValue([]byte{0xff, 0x38}), "-0.200"},
		{decimalWriter(parquet.Int32, 0), parquet.Int32Value(12), "12"},
		{timeWriter(format.TimeUnit{Value: new(format.MilliSeconds)}, "15:04:05.999999999"), parquet.Int32Value(3_723_004), "01:02:03.004"},
	} {
		if got := string(c.write(nil, c.value)); got != c.want {
			t.Errorf("%v: %q, want %q", c.value, got, c.want)
		}
	}
}

func TestDecimalsKeepTheirValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unscaled, scale := rapid.Int64().Draw(t, "unscaled"), rapid.IntRange(0, 18).Draw(t, "scale")
		text := string(decimalWriter(parquet.Int64, scale)(nil, parquet.Int64Value(unscaled)))
		got, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("%q is no number", text)
		}
		denominator := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
		if want := new(big.Rat).SetFrac(big.NewInt(unscaled), denominator); got.Cmp(want) != 0 {
			t.Fatalf("%d with scale %d became %s", unscaled, scale, text)
		}
	})
}

func TestParquetSaysWhereAndWhatToDo(t *testing.T) {
	type list struct {
		Tags []string `parquet:"tags"`
	}
	type raw struct {
		Hash [4]byte `parquet:"hash"`
	}
	type latin struct {
		City string `parquet:"city"`
	}
	good := parquetOf(t, []latin{{"Rome"}, {"Oslo"}, {"Bonn"}})
	var compressed bytes.Buffer
	if err := parquet.Write(&compressed, []latin{{"Rome"}}, parquet.Compression(&parquet.Lz4Raw)); err != nil {
		t.Fatal(err)
	}
	lz4 := compressed.Bytes()
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":     {nil, "x.parquet: not a Parquet file, or a damaged one"},
		"text":      {[]byte("a,b\n1,2\n1,2\n1,2\n"), "write it again, or name its real format with --format"},
		"cut off":   {good[:len(good)-9], "x.parquet: not a Parquet file, or a damaged one"},
		"list":      {parquetOf(t, []list{{[]string{"a"}}}), `x.parquet: column "tags" holds a list; write one value for each column, or leave the column out`},
		"bytes":     {parquetOf(t, []raw{{}}), `x.parquet: column "hash" holds bytes of fixed length; convert it to a number or a text`},
		"lz4":       {lz4, "x.parquet: the file is compressed by LZ4_RAW, which is not read; write it with snappy, gzip, zstd or brotli"},
		"not UTF-8": {parquetOf(t, []latin{{"Rome"}, {"Oslo"}, {"K\xf6ln"}}), `x.parquet: row 1 of row group 2: column "city": "K\xf6ln" is not UTF-8`},
	} {
		err := drain(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read Parquet: ") || errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
	r, err := openParquet(good)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(r, []Want{{Numeric: true}}, 0, nil)
	if want := `x.parquet: row 1 of row group 1: column "city": "Rome" is not a finite number; correct the value`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// drain reads a file to its end or its first error.
func drain(raw []byte) error {
	r, err := openParquet(raw)
	for err == nil {
		_, err = r.Next()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// A damaged file gives an error or rows, and never brings the program down.
func TestDamagedParquetIsNoPanic(t *testing.T) {
	var rows []person
	for i := range 40 {
		age := float64(i)
		rows = append(rows, person{Age: &age, City: fmt.Sprint("city ", i%7)})
	}
	good := parquetOf(t, rows)
	broken := 0
	rapid.Check(t, func(t *rapid.T) {
		bad := slices.Clone(good)
		// The footer's length and magic stay: what they guard is what is tried.
		at := rapid.IntRange(0, len(bad)-9).Draw(t, "at")
		bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if err := drain(bad); err != nil {
			broken++
		}
	})
	if broken == 0 {
		t.Error("no damage was noticed")
	}
}

func BenchmarkParquet(b *testing.B) {
	rows := make([]person, 10_000)
	for i := range rows {
		age, code := math.Sqrt(float64(i)), int64(i)
		rows[i] = person{Age: &age, Code: &code, City: []string{"Rome", "Oslo"}[i%2]}
	}
	var file bytes.Buffer
	if err := parquet.Write(&file, rows); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := drain(file.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
