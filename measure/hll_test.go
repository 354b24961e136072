package measure_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func rowOf(i int) measure.RowHash {
	return measure.RowHash(0).Number(float64(i)).Text("a row").Missing()
}

// The estimate is without bias and has the error that it says, from one row to
// many times the registers.
func TestDistinctRows(t *testing.T) {
	for _, rows := range []int{1, 10, 1000, 16_384, 50_000, 200_000} {
		repeats := max(40, min(300, 1_000_000/rows))
		inside, relative := 0, 0.0
		for r := range repeats {
			var s measure.HyperLogLog
			for i := range rows {
				s.Add(rowOf(r*rows + i))
			}
			value, lower, upper, err := s.Distinct(0.95)
			if err != nil {
				t.Fatal(err)
			}
			relative += (value/float64(rows) - 1) / float64(repeats)
			if lower <= float64(rows) && float64(rows) <= upper {
				inside++
			}
		}
		// The mean of so many estimates is within four of its own standard errors.
		if bound := 4 * 1.04 / 128 / math.Sqrt(float64(repeats)); math.Abs(relative) > bound {
			t.Errorf("%d rows: a bias of %.4f, more than %.4f", rows, relative, bound)
		}
		share := float64(inside) / float64(repeats)
		t.Logf("%d rows, %d times: bias %.5f, %.1f%% within the limits", rows, repeats, relative, 100*share)
		if share < 0.85 { // 95% are expected; 40 repeats scatter
			t.Errorf("%d rows: %v within limits of 0.95", rows, share)
		}
	}
}

func TestDistinctLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.IntRange(0, 5000)).Draw(t, "rows")
		cut := rapid.IntRange(0, len(rows)).Draw(t, "cut")
		var whole, first, second measure.HyperLogLog
		for i, row := range rows {
			whole.Add(rowOf(row))
			whole.Add(rowOf(row)) // a row that was seen says nothing
			if i < cut {
				first.Add(rowOf(row))
			} else {
				second.Add(rowOf(row))
			}
		}
		swapped := second
		swapped.Merge(&first)
		first.Merge(&second)
		if first != whole || swapped != whole {
			t.Fatal("the parts merged are not the whole")
		}
		raw, err := whole.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var stored measure.HyperLogLog
		if err := stored.UnmarshalBinary(raw); err != nil || stored != whole {
			t.Fatalf("written and read again: %v", err)
		}
	})
}

func TestDuplicateShare(t *testing.T) {
	for _, c := range []struct{ rows, distinct int }{{1000, 1000}, {1000, 500}, {100_000, 90_000}, {500, 1}} {
		var s measure.HyperLogLog
		for i := range c.rows {
			s.Add(rowOf(i % c.distinct))
		}
		e, err := measure.DuplicateShare(&s, uint64(c.rows), 0.99)
		if err != nil {
			t.Fatal(err)
		}
		sound(t, "duplicates", e, nil)
		want := 1 - float64(c.distinct)/float64(c.rows)
		near(t, fmt.Sprintf("%d of %d", c.distinct, c.rows), e.Value, want, 0.03)
		if !(0 <= *e.Lower && *e.Lower <= want && want <= *e.Upper && *e.Upper < 1) || e.Samples != uint64(c.rows) {
			t.Errorf("%d of %d: %v in [%v, %v]", c.distinct, c.rows, e.Value, *e.Lower, *e.Upper)
		}
	}
}

// What is a different row, and what is the same.
func TestRowHash(t *testing.T) {
	var h measure.RowHash
	zero := math.Copysign(0, -1)
	if h.Number(0) != h.Number(zero) || h.Number(math.NaN()) != h.Missing() {
		t.Error("0 and -0, or NaN and missing, are different rows")
	}
	different := map[measure.RowHash]string{}
	for name, row := range map[string]measure.RowHash{
		"empty":            h,
		"0":                h.Number(0),
		"missing":          h.Missing(),
		"empty text":       h.Text(""),
		"text of a zero":   h.Text("\x00"),
		"1, 2":             h.Number(1).Number(2),
		"2, 1":             h.Number(2).Number(1),
		"missing, missing": h.Missing().Missing(),
		"ab, c":            h.Text("ab").Text("c"),
		"a, bc":            h.Text("a").Text("bc"),
		"abc":              h.Text("abc"),
		"long text":        h.Text("0123456789abcdef"),
		"in two":           h.Text("01234567").Text("89abcdef"),
	} {
		if other, taken := different[row]; taken {
			t.Errorf("%q and %q have one hash", name, other)
		}
		different[row] = name
	}
}

func TestDistinctUndefined(t *testing.T) {
	var empty, some measure.HyperLogLog
	some.Add(rowOf(1))
	if value, lower, upper, err := empty.Distinct(0.95); err != nil || value != 0 || lower != 0 || upper != 0 {
		t.Errorf("no rows: %v in [%v, %v], %v", value, lower, upper, err)
	}
	share := func(s *measure.HyperLogLog, rows uint64, confidence float64) error {
		_, err := measure.DuplicateShare(s, rows, confidence)
		return err
	}
	for what, err := range map[string]error{
		"nothing seen":   share(&empty, 10, 0.95),
		"no rows":        share(&some, 0, 0.95),
		"confidence 1":   share(&some, 1, 1),
		"confidence 0":   share(&some, 1, 0),
		"confidence NaN": share(&some, 1, math.NaN()),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: %v, want undefined", what, err)
		}
	}
}

// Registers nearly full, as 2^63 rows would leave them, give a number.
func TestDistinctOfFullRegisters(t *testing.T) {
	raw := make([]byte, 1<<14)
	for i := range raw {
		raw[i] = 51 - uint8(i%2)
	}
	var s measure.HyperLogLog
	if err := s.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	if value, _, upper, err := s.Distinct(0.95); err != nil || !(value > 1e18) || math.IsInf(upper, 0) {
		t.Errorf("%v up to %v, %v", value, upper, err)
	}
	for i := range raw {
		raw[i] = 51
	}
	if err := s.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := s.Distinct(0.95); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("every register full: %v", err)
	}
}

// The sparse form grows with the rows and is never longer than the plain one.
func TestSketchSizes(t *testing.T) {
	for _, c := range []struct{ rows, most int }{{0, 2}, {1, 6}, {100, 310}, {1000, 2100}, {10_000, 12_000}, {1_000_000, 1 << 14}} {
		var s, back measure.HyperLogLog
		for i := range c.rows {
			s.Add(rowOf(i))
		}
		raw, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d rows take %d bytes", c.rows, len(raw))
		if err := back.UnmarshalBinary(raw); err != nil || back != s || len(raw) > c.most {
			t.Errorf("%d rows: %d bytes, at most %d are wanted; %v", c.rows, len(raw), c.most, err)
		}
	}
}

// The plain form, which sketches had before the sparse one, is read for ever.
func TestPlainSketch(t *testing.T) {
	plain := make([]byte, 1<<14)
	plain[0], plain[77], plain[1<<14-1] = 3, 51, 1
	var s, back measure.HyperLogLog
	if err := s.UnmarshalBinary(plain); err != nil {
		t.Fatal(err)
	}
	raw, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	// 0<<6|3; 76<<6|51; 16305<<6|1
	if want := []byte{0xFF, 3, 3, 0xB3, 0x26, 0xC1, 0xD8, 0x3F}; !bytes.Equal(raw, want) {
		t.Errorf("sparse form % X, want % X", raw, want)
	}
	if err := back.UnmarshalBinary(raw); err != nil || back != s {
		t.Errorf("plain and sparse differ: %v", err)
	}
}

func TestSketchRefuses(t *testing.T) {
	for what, raw := range map[string][]byte{
		"nothing":                {},
		"a plain one too short":  make([]byte, 1<<14-1),
		"a plain one too long":   make([]byte, 1<<14+1),
		"no number of registers": {0xFF},
		"a register missing":     {0xFF, 2, 3},
		"half a register":        {0xFF, 1, 0xB3},
		"one register too many":  {0xFF, 1, 3, 3},
		"a register that is 0":   {0xFF, 1, 0x40},
		"a rank of 52":           {0xFF, 1, 52},
		"beyond the last one":    {0xFF, 1, 0x81, 0x80, 0x40},
		"a number made longer":   {0xFF, 1, 0x83, 0x00},
		"more than there are":    binary.AppendUvarint([]byte{0xFF}, math.MaxUint64),
	} {
		var s measure.HyperLogLog
		s.Add(rowOf(1))
		before := s
		if err := s.UnmarshalBinary(raw); err == nil || s != before {
			t.Errorf("%s: %v, changed: %v", what, err, s != before)
		}
	}
}

func FuzzHyperLogLog(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte{51, 0, 1}, 16384)
	f.Add([]byte{52}, 16384)
	f.Add([]byte{0xFF, 3, 3, 0xB3, 0x26, 0xC1, 0xD8, 0x3F}, 8)
	f.Add([]byte{0xFF, 0}, 2)
	f.Add([]byte{0xFF, 1, 0x81, 0x80, 0x40}, 5)
	f.Fuzz(func(t *testing.T, pattern []byte, size int) {
		raw := make([]byte, max(0, min(size, 1<<15)))
		for i := range raw {
			if len(pattern) > 0 {
				raw[i] = pattern[i%len(pattern)]
			}
		}
		var s, back measure.HyperLogLog
		if err := s.UnmarshalBinary(raw); err != nil {
			if s != (measure.HyperLogLog{}) {
				t.Fatal("a refused sketch was taken")
			}
			return
		}
		written, err := s.MarshalBinary()
		if err != nil || len(written) > 1<<14 {
			t.Fatalf("%d bytes, %v", len(written), err)
		}
		if raw[0] == 0xFF && len(raw) < 1<<14 && !bytes.Equal(raw, written) {
			t.Fatalf("two sparse forms of one sketch: % X and % X", raw, written)
		}
		if err := back.UnmarshalBinary(written); err != nil || back != s {
			t.Fatalf("written and read again: %v", err)
		}
		e, err := measure.DuplicateShare(&s, 1000, 0.95)
		if err != nil && !errors.Is(err, measure.ErrUndefined) {
			t.Fatal(err)
		}
		if err == nil {
			sound(t, "duplicates", e, nil)
		}
	})
}

func BenchmarkHyperLogLogAdd(b *testing.B) {
	var s measure.HyperLogLog
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Add(measure.RowHash(0).Number(float64(i)))
	}
}

func BenchmarkRowHash(b *testing.B) {
	const columns = 20
	b.ReportAllocs()
	var last measure.RowHash
	for b.Loop() {
		row := last & 1
		for i := range columns / 2 {
			row = row.Number(float64(i)).Text("category")
		}
		last = row
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/columns, "ns/value")
}

func BenchmarkHyperLogLogDistinct(b *testing.B) {
	var s measure.HyperLogLog
	for i := range 100_000 {
		s.Add(rowOf(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, err := s.Distinct(0.95); err != nil {
			b.Fatal(err)
		}
	}
}
