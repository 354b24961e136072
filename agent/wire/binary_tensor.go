package wire

import (
	"encoding/binary"
	"math"
	"strconv"
)

// The binary tensor extension of the Open Inference Protocol V2 puts tensors
// behind the JSON as raw bytes, little-endian, row by row, in the order in which
// the JSON lists them. A header tells how long the JSON is, and a parameter of
// each such tensor how many bytes are its own.

// parameterBinarySize is that parameter.
const parameterBinarySize = "binary_data_size"

// splitBinary separates the JSON of a body from the tensors behind it; length is
// the header, empty where there are none.
func splitBinary(body []byte, length string) (text, raw []byte, err *Fault) {
	if length == "" {
		return body, nil, nil
	}
	n, bad := strconv.ParseUint(length, 10, 31)
	if bad != nil || int(n) > len(body) {
		return nil, nil, fault(Binary, "a body of %d bytes has JSON of %.20q", len(body), length)
	}
	return body[:n], body[n:], nil
}

// binarySize takes the parameters of a tensor and gives its size in bytes; -1
// where its data is in the JSON.
func (s *scanner) binarySize() int {
	size := -1
	if s.next() != '{' {
		s.skip(0)
		return size
	}
	s.object(func(key string) {
		if key != parameterBinarySize {
			s.skip(0)
			return
		}
		if n := s.number(); n >= 0 && n <= math.MaxInt32 && n == math.Trunc(n) {
			size = int(n)
		} else {
			size = math.MaxInt32 // no body is as long
		}
	})
	return size
}

// readBinary takes the values of a tensor of t.raw bytes from what stands behind
// the JSON. The texts of BYTES tensors alias the body.
func (d *OIP) readBinary(t *tensor, datatype string) (err *Fault) {
	switch {
	case t.read:
		return fault(Binary, "tensor %.60q has data twice", t.name)
	case t.raw > len(d.behind):
		return fault(Binary, "tensor %.60q has %d bytes, %d are left", t.name, t.raw, len(d.behind))
	}
	raw := d.behind[:t.raw]
	d.behind = d.behind[t.raw:]
	t.read = true
	t.from = len(d.numbers)
	if t.datatype != numberType {
		t.from = len(d.texts)
	}
	switch width := datatypeWidth(datatype); {
	case t.datatype == bytesType:
		err = d.rawTexts(t, raw)
	case width == 0 || len(raw)%width != 0:
		err = fault(Binary, "tensor %.60q of %.20q has %d bytes", t.name, datatype, len(raw))
	case t.datatype == boolType:
		for _, b := range raw {
			d.texts, d.missing = append(d.texts, boolText(float64(b))), append(d.missing, false)
		}
	default:
		d.numbers = appendRaw(d.numbers, datatype, raw)
	}
	t.to = len(d.numbers)
	if t.datatype != numberType {
		t.to = len(d.texts)
	}
	return err
}

// rawTexts reads texts, each behind its length of four bytes.
func (d *OIP) rawTexts(t *tensor, raw []byte) *Fault {
	for len(raw) > 0 {
		if len(raw) < 4 || uint64(binary.LittleEndian.Uint32(raw)) > uint64(len(raw)-4) {
			return fault(Binary, "tensor %.60q ends within a text", t.name)
		}
		n := int(binary.LittleEndian.Uint32(raw))
		d.texts, d.missing = append(d.texts, alias(raw[4:4+n])), append(d.missing, false)
		raw = raw[4+n:]
	}
	return nil
}

// datatypeWidth gives the bytes of a value; 0 where they differ.
func datatypeWidth(datatype string) int {
	switch datatype {
	case "BOOL", "INT8", "UINT8":
		return 1
	case "INT16", "UINT16", "FP16", "BF16":
		return 2
	case "INT32", "UINT32", "FP32":
		return 4
	case "INT64", "UINT64", "FP64":
		return 8
	}
	return 0
}

// appendRaw appends the numbers of raw, whose length is a multiple of their
// width.
func appendRaw(to []float64, datatype string, raw []byte) []float64 {
	little := binary.LittleEndian
	switch datatype {
	case "FP32":
		return appendWords(to, raw, 4, func(b []byte) float64 { return float64(math.Float32frombits(little.Uint32(b))) })
	case "FP64":
		return appendWords(to, raw, 8, func(b []byte) float64 { return math.Float64frombits(little.Uint64(b)) })
	case "FP16":
		return appendWords(to, raw, 2, func(b []byte) float64 { return float16(little.Uint16(b)) })
	case "BF16":
		return appendWords(to, raw, 2, func(b []byte) float64 { return float64(math.Float32frombits(uint32(little.Uint16(b)) << 16)) })
	case "INT8":
		return appendWords(to, raw, 1, func(b []byte) float64 { return float64(int8(b[0])) })
	case "INT16":
		return appendWords(to, raw, 2, func(b []byte) float64 { return float64(int16(little.Uint16(b))) })
	case "INT32":
		return appendWords(to, raw, 4, func(b []byte) float64 { return float64(int32(little.Uint32(b))) })
	case "INT64":
		return appendWords(to, raw, 8, func(b []byte) float64 { return float64(int64(little.Uint64(b))) })
	case "UINT8":
		return appendWords(to, raw, 1, func(b []byte) float64 { return float64(b[0]) })
	case "UINT16":
		return appendWords(to, raw, 2, func(b []byte) float64 { return float64(little.Uint16(b)) })
	case "UINT32":
		return appendWords(to, raw, 4, func(b []byte) float64 { return float64(little.Uint32(b)) })
	case "UINT64":
		return appendWords(to, raw, 8, func(b []byte) float64 { return float64(little.Uint64(b)) })
	}
	return to
}

func appendWords(to []float64, raw []byte, width int, number func([]byte) float64) []float64 {
	for ; len(raw) >= width; raw = raw[width:] {
		to = append(to, number(raw[:width]))
	}
	return to
}

// float16 reads a number of half precision, IEEE 754.
func float16(bits uint16) float64 {
	sign := 1.0
	if bits&0x8000 != 0 {
		sign = -1
	}
	exponent, fraction := int(bits>>10&0x1f), float64(bits&0x3ff)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 0x1f:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(fraction+1024, exponent-25)
}
