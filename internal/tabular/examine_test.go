package tabular

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func reader(t testing.TB, text string) *Reader {
	t.Helper()
	r, err := NewCSV("x.csv", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const people = `age,code,city,empty,odd,member
31, 1.0 ,Rome,,1,True
NA,2.0,"",NA,2,FALSE
 4.5e1,1.0,Oslo,NaN,inf,
nan,-0.0,Rome,null,0x10,true
`

func TestExamine(t *testing.T) {
	s, err := Examine(reader(t, people), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 4 || len(s.Columns) != 6 {
		t.Fatalf("%d rows and %d columns", s.Rows, len(s.Columns))
	}
	for i, want := range []struct {
		name                       string
		missing, numbers, distinct int
		numeric, boolean           bool
		text, at                   string
	}{
		{"age", 2, 2, 2, true, false, "", ""},
		{"code", 0, 4, 4, true, false, "", ""}, // " 1.0 " is written differently
		{"city", 1, 0, 2, false, false, "Rome", "x.csv:2:10"},
		{"empty", 4, 0, 0, false, false, "", ""},
		{"odd", 0, 2, 4, false, false, "inf", "x.csv:4:21"},
		{"member", 1, 0, 3, false, true, "True", "x.csv:2:18"},
	} {
		c := s.Columns[i]
		if c.Name != want.name || c.Missing != want.missing || c.Numbers != want.numbers || c.Distinct != want.distinct ||
			c.Numeric() != want.numeric || c.Boolean() != want.boolean || c.First != want.text || c.At != want.at {
			t.Errorf("got %+v\nwant %+v", c, want)
		}
	}
}

func TestExamineTellsManyValuesApartInBoundedMemory(t *testing.T) {
	var text strings.Builder
	text.WriteString("few,many\n")
	for i := range 3 * MaxDistinct {
		fmt.Fprintf(&text, "%d,%d\n", i%MaxDistinct, i)
	}
	s, err := Examine(reader(t, text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	few, many := s.Columns[0], s.Columns[1]
	if few.Distinct != MaxDistinct || many.Distinct != MaxDistinct+1 || many.seen != nil {
		t.Errorf("distinct: %d of %d, %d", few.Distinct, MaxDistinct, many.Distinct)
	}
}

func TestLoad(t *testing.T) {
	values, err := Load(reader(t, people), []Want{
		{Column: 0, Numeric: true},
		{Column: 1, Served: true},
		{Column: 1},
		{Column: 2},
		{Column: 5, Served: true},
	}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	age := values[0].Numbers
	if age[0] != 31 || !math.IsNaN(age[1]) || age[2] != 45 || !math.IsNaN(age[3]) || values[0].Texts != nil {
		t.Errorf("age: %v", values[0])
	}
	if want := []string{"1", "2", "1", "0"}; !slices.Equal(values[1].Texts, want) {
		t.Errorf("code, as served: %q", values[1].Texts)
	}
	if want := []string{" 1.0 ", "2.0", "1.0", "-0.0"}; !slices.Equal(values[2].Texts, want) {
		t.Errorf("code: %q", values[2].Texts)
	}
	if want := []string{"true", "false", "", "true"}; !slices.Equal(values[4].Texts, want) {
		t.Errorf("member: %q", values[4].Texts)
	}
	if want := []bool{false, true, false, false}; !slices.Equal(values[3].Missing, want) || values[3].Texts[2] != "Oslo" {
		t.Errorf("city: %v", values[3])
	}
}

func TestServedLeavesCodesAlone(t *testing.T) {
	values, err := Load(reader(t, "zip\n01234\n1e3\n2.50\n1e-7\n1e300\ntext.e\n"), []Want{{Served: true}}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"01234", "1000", "2.5", "1e-07", "1e+300", "text.e"}; !slices.Equal(values[0].Texts, want) {
		t.Errorf("got %q, want %q", values[0].Texts, want)
	}
}

func TestLoadRefusesTextAmongNumbers(t *testing.T) {
	for _, cell := range []string{"old", "inf", "1e999", "1,5"} {
		_, err := Load(reader(t, "name,age\nann,31\nbob,\""+cell+"\"\n"), []Want{{Column: 1, Numeric: true}}, 0, nil)
		want := fmt.Sprintf("x.csv:3:5: column \"age\": %q is not a finite number; correct the value, or declare the column categorical", cell)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestProgressIsToldAndCanStop(t *testing.T) {
	text := "a\n" + strings.Repeat("1\n", 3*progressEvery)
	var told []int64
	if _, err := Examine(reader(t, text), func(bytes int64) error { told = append(told, bytes); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(told) != 3 || !slices.IsSorted(told) || told[2] != int64(len(text)) {
		t.Errorf("told %v of %d bytes", told, len(text))
	}
	stop := errors.New("enough")
	calls := 0
	_, err := Load(reader(t, text), []Want{{Numeric: true}}, 0, func(int64) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func BenchmarkExamineAndLoad(b *testing.B) {
	var text strings.Builder
	text.WriteString("x,y,city\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "%v,%d,%s\n", math.Sqrt(float64(i)), i, []string{"Rome", "Oslo"}[i%2])
	}
	b.SetBytes(2 * int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Examine(reader(b, text.String()), nil); err != nil {
			b.Fatal(err)
		}
		if _, err := Load(reader(b, text.String()), []Want{{0, true, false}, {1, true, false}, {2, false, false}}, 10_000, nil); err != nil {
			b.Fatal(err)
		}
	}
}
