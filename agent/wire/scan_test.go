package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// read scans any value into what encoding/json would make of it, with numbers
// as float64.
func (s *scanner) read(depth int) any {
	if depth > maxDepth {
		s.fail("less nesting")
		return nil
	}
	switch s.next() {
	case '{':
		m := map[string]any{}
		s.object(func(key string) { m[key] = s.read(depth + 1) })
		return m
	case '[':
		list := []any{}
		s.array(func() { list = append(list, s.read(depth+1)) })
		return list
	case '"':
		return s.str()
	}
	switch s.literal() {
	case literalNull:
		return nil
	case literalTrue:
		return true
	case literalFalse:
		return false
	}
	return s.number()
}

// reference parses as encoding/json does; numbers beyond float64 are infinite.
func reference(text []byte) (any, bool) {
	if !json.Valid(text) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, false
	}
	return toFloats(v), true
}

func toFloats(v any) any {
	switch v := v.(type) {
	case json.Number:
		x, _ := strconv.ParseFloat(string(v), 64)
		return x
	case []any:
		for i := range v {
			v[i] = toFloats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = toFloats(v[k])
		}
	}
	return v
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if v, ok := b[k]; !ok || !equal(a[k], v) {
				return false
			}
		}
		return true
	}
	return a == b
}

func bareWords(text []byte) bool {
	return bytes.Contains(text, []byte("NaN")) || bytes.Contains(text, []byte("Infinity"))
}

// FuzzScanner holds the scanner against encoding/json: the same texts are
// accepted, with the same values.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"inputs":[{"name":"x","shape":[2,1],"datatype":"FP32","data":[[1.5],[-2e-3]]}]}`,
		`[0,-0,0.1,1e22,1e23,1E+5,123456789012345678901234567890,4.9e-324,1e999,9007199254740993,0.30000000000000004]`,
		`"\u00e9\ud83d\ude00\ud83d x \ude00\\\/\b\f\n\r\t\""`, `[01]`, `[1.]`, `[.5]`, `[1e]`, `[-]`, `{"a":}`, `[1,]`, `{"a":1,}`,
		` [ null , true , false ] `, `nul`, `"` + "\x01" + `"`, `{"a":1}x`, ``, `"\ud800\u0041"`, `"\ud800\ud800\udc00"`, "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !utf8.Valid(text) || bareWords(text) || bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxDepth {
			return // where the scanner means to differ
		}
		var s scanner
		s.begin(text)
		got := s.read(0)
		s.finish()
		want, valid := reference(text)
		if valid != (s.err == nil) {
			t.Fatalf("%q: valid %v, scanner says %v", text, valid, s.err)
		}
		if valid && !equal(got, want) {
			t.Fatalf("%q: %#v, want %#v", text, got, want)
		}

		var skipping scanner
		skipping.begin(text)
		skipping.skip(0)
		skipping.finish()
		if valid != (skipping.err == nil) {
			t.Fatalf("%q: valid %v, skip says %v", text, valid, skipping.err)
		}
	})
}

func TestNumbersRoundAsStrconvDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		if rapid.Bool().Draw(t, "as Go writes it") {
			text = strconv.FormatFloat(rapid.Float64().Draw(t, "x"), 'g', -1, 64)
			if text == "+Inf" || text == "-Inf" || text == "NaN" {
				return
			}
		}
		var s scanner
		s.begin([]byte(text))
		got := s.number()
		s.finish()
		want, _ := strconv.ParseFloat(text, 64)
		if s.err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s: %v (%v), want %v", text, got, s.err, want)
		}
	})
}

func TestUndefinedNumbersAreNaN(t *testing.T) {
	for text, ok := range map[string]bool{"NaN": true, "Infinity": true, "-Infinity": true, "-NaN": false, "+1": false, "Inf": false, "nan": false} {
		var s scanner
		s.begin([]byte(text))
		x := s.number()
		s.finish()
		if ok != (s.err == nil) || ok && !math.IsNaN(x) {
			t.Errorf("%s: %v, %v", text, x, s.err)
		}
	}
}

func TestNestingIsBounded(t *testing.T) {
	deep := bytes.Repeat([]byte("["), 1<<20)
	var s scanner
	s.begin(deep)
	s.skip(0)
	if s.err == nil {
		t.Error("a million open brackets were accepted")
	}
	d := NewOIP(OIPOptions{})
	d.scan.begin(deep)
	d.numberData(0)
	if d.scan.err == nil {
		t.Error("a million open brackets of data were accepted")
	}
}
