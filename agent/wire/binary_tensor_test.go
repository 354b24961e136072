package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// binaryExchange puts a tensor of n values behind the JSON.
func binaryExchange(datatype string, n int, raw []byte) *Exchange {
	head := fmt.Sprintf(`{"inputs":[{"name":"x","shape":[%d],"datatype":%q,"parameters":{"binary_data_size":%d}}]}`, n, datatype, len(raw))
	x := exchange(head+string(raw), `{"outputs":[{"name":"y","shape":[`+fmt.Sprint(n)+`],"datatype":"FP32","data":[`+strings.TrimSuffix(strings.Repeat("0,", n), ",")+`]}]}`)
	x.Request.JSONLength = fmt.Sprint(len(head))
	return x
}

// A tensor says the same behind the JSON as in it.
func TestBinaryTensorsAreTheJSONOnes(t *testing.T) {
	d := NewOIP(OIPOptions{})
	draws := map[string]func(*rapid.T) any{
		"FP32":   func(t *rapid.T) any { return rapid.SliceOfN(rapid.Float32(), 1, 9).Draw(t, "v") },
		"FP64":   func(t *rapid.T) any { return rapid.SliceOfN(rapid.Float64(), 1, 9).Draw(t, "v") },
		"INT8":   func(t *rapid.T) any { return rapid.SliceOfN(rapid.Int8(), 1, 9).Draw(t, "v") },
		"INT16":  func(t *rapid.T) any { return rapid.SliceOfN(rapid.Int16(), 1, 9).Draw(t, "v") },
		"INT32":  func(t *rapid.T) any { return rapid.SliceOfN(rapid.Int32(), 1, 9).Draw(t, "v") },
		"INT64":  func(t *rapid.T) any { return rapid.SliceOfN(rapid.Int64(), 1, 9).Draw(t, "v") },
		"UINT16": func(t *rapid.T) any { return rapid.SliceOfN(rapid.Uint16(), 1, 9).Draw(t, "v") },
		"UINT32": func(t *rapid.T) any { return rapid.SliceOfN(rapid.Uint32(), 1, 9).Draw(t, "v") },
		"UINT64": func(t *rapid.T) any { return rapid.SliceOfN(rapid.Uint64(), 1, 9).Draw(t, "v") },
		"BOOL":   func(t *rapid.T) any { return rapid.SliceOfN(rapid.Bool(), 1, 9).Draw(t, "v") },
	}
	for datatype, draw := range draws {
		rapid.Check(t, func(t *rapid.T) {
			values := draw(t)
			n := reflect.ValueOf(values).Len()
			var raw bytes.Buffer
			if err := binary.Write(&raw, binary.LittleEndian, values); err != nil {
				t.Fatal(err)
			}
			data, err := json.Marshal(exactly(values))
			if err != nil {
				t.Fatal(err)
			}
			x := binaryExchange(datatype, n, raw.Bytes())
			behind, err := d.Decode(x)
			if err != nil {
				t.Fatal(err)
			}
			got := plain(behind)
			head, _, _ := strings.Cut(string(x.Request.Body[:len(x.Request.Body)-raw.Len()]), `"parameters"`)
			x.Request = Message{Body: []byte(head + `"data":` + string(data) + `}]}`)}
			inside, err := d.Decode(x)
			if err != nil {
				t.Fatal(err)
			}
			if want := plain(inside); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s %v: %v behind the JSON, %v in it", datatype, values, got, want)
			}
		})
	}
}

// exactly gives values as JSON must write them: a number of single precision in
// full.
func exactly(values any) any {
	single, ok := values.([]float32)
	if !ok {
		return values
	}
	out := make([]float64, len(single))
	for i, x := range single {
		out[i] = float64(x)
	}
	return out
}

func TestBinaryTexts(t *testing.T) {
	d := NewOIP(OIPOptions{})
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.String(), 1, 6).Draw(t, "texts")
		var raw []byte
		want := make([]any, len(texts))
		for i, s := range texts {
			raw = append(binary.LittleEndian.AppendUint32(raw, uint32(len(s))), s...)
			want[i] = s
		}
		obs, err := d.Decode(binaryExchange("BYTES", len(texts), raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := plain(obs)["feature x"]; !reflect.DeepEqual(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
		cut := rapid.IntRange(1, 4).Draw(t, "cut")
		if _, err := d.Decode(binaryExchange("BYTES", len(texts), raw[:len(raw)-min(cut, len(raw))])); err == nil {
			t.Fatal("texts that end too soon were read")
		}
	})
}

func TestHalfPrecision(t *testing.T) {
	for bits, want := range map[uint16]float64{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x7bff: 65504, 0x0400: 0x1p-14, 0x03ff: 0x1p-14 - 0x1p-24, 0x0001: 0x1p-24,
		0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		if got := float16(bits); got != want {
			t.Errorf("%#04x: %v, want %v", bits, got, want)
		}
	}
	if !math.IsNaN(float16(0x7e00)) || !math.Signbit(float16(0x8000)) {
		t.Error("not a number, or minus zero, is lost")
	}
	for bits := uint16(0); bits < 0x7c00; bits++ {
		if !(float16(bits) < float16(bits+1)) {
			t.Fatalf("%#04x is not below its successor", bits)
		}
	}
	got := appendRaw(nil, "BF16", []byte{0x80, 0x3f, 0x20, 0xc0})
	if !reflect.DeepEqual(got, []float64{1, -2.5}) {
		t.Errorf("BF16: %v", got)
	}
}

func TestBinaryFaults(t *testing.T) {
	d := NewOIP(OIPOptions{})
	for name, x := range map[string]*Exchange{
		"odd size":     binaryExchange("FP32", 1, []byte{1, 2, 3}),
		"wrong shape":  binaryExchange("FP32", 3, make([]byte, 8)),
		"no datatype":  binaryExchange("FP8", 1, []byte{1}),
		"bad header":   func() *Exchange { x := binaryExchange("INT8", 1, []byte{1}); x.Request.JSONLength = "x"; return x }(),
		"short header": func() *Exchange { x := binaryExchange("INT8", 1, []byte{1}); x.Request.JSONLength = "9"; return x }(),
		"no JSON":      func() *Exchange { x := exchange("\x00\x00", okAnswer); x.Request.JSONLength = "0"; return x }(),
	} {
		if _, err := d.Decode(x); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}
