package wire

import (
	"encoding/binary"
	"math"
)

// valueField is the field of a message in which a datatype's values stand.
type valueField struct {
	number uint64
	form   valueForm
}

// valueForm is how single values travel.
type valueForm uint8

const (
	noForm         valueForm = iota
	signed32Form             // varint: int32, of which INT8 and INT16 are parts
	signed64Form             // varint: int64
	unsigned32Form           // varint: uint32
	unsigned64Form           // varint: uint64
	singleForm               // fixed: float
	doubleForm               // fixed: double
	halfForm                 // varint: the bits of FP16
	brainForm                // varint: the bits of BF16
	booleanForm              // varint
	textForm                 // bytes
)

func (v valueForm) kind() protoKind {
	switch v {
	case singleForm:
		return protoFixed32
	case doubleForm:
		return protoFixed64
	case textForm:
		return protoBytes
	}
	return protoVarint
}

// takeValues appends what the field at hand holds, if it is a tensor's values:
// one of them, or many that are packed. false: the field is broken.
func (d *OIP) takeValues(f *protoFields, v valueField) bool {
	switch {
	case v.form == noForm || f.number != v.number:
		return true
	case v.form == textForm:
		if f.kind == protoBytes {
			d.texts, d.missing = append(d.texts, alias(f.bytes)), append(d.missing, false)
		}
		return true
	case f.kind == v.form.kind():
		d.takeValue(f.value, v.form)
		return true
	case f.kind != protoBytes:
		return true // a field that is not known
	}
	switch v.form {
	case singleForm:
		d.numbers = appendSingles(d.numbers, f.bytes)
		return len(f.bytes)%4 == 0
	case doubleForm:
		d.numbers = appendRaw(d.numbers, "FP64", f.bytes)
		return len(f.bytes)%8 == 0
	}
	packed := protoFields{rest: f.bytes}
	for len(packed.rest) > 0 && !packed.broken {
		if x := packed.varint(); !packed.broken {
			d.takeValue(x, v.form)
		}
	}
	return !packed.broken
}

// takeValue appends one value by its bits.
func (d *OIP) takeValue(bits uint64, form valueForm) {
	var x float64
	switch form {
	case signed32Form:
		x = float64(int32(bits))
	case signed64Form:
		x = float64(int64(bits))
	case unsigned32Form:
		x = float64(uint32(bits))
	case unsigned64Form:
		x = float64(bits)
	case singleForm:
		x = float64(math.Float32frombits(uint32(bits)))
	case doubleForm:
		x = math.Float64frombits(bits)
	case halfForm:
		x = float16(uint16(bits))
	case brainForm:
		x = float64(math.Float32frombits(uint32(uint16(bits)) << 16))
	case booleanForm:
		if bits != 0 {
			x = 1
		}
		d.texts, d.missing = append(d.texts, boolText(x)), append(d.missing, false)
		return
	}
	d.numbers = append(d.numbers, x)
}

// appendSingles appends numbers of single precision, the bulk of what models
// are asked in; what is left behind a multiple of four bytes is not read.
func appendSingles(to []float64, raw []byte) []float64 {
	n := len(raw) / 4
	if cap(to)-len(to) < n {
		to = append(make([]float64, 0, max(2*cap(to), len(to)+n)), to...)
	}
	from := len(to)
	to = to[:from+n]
	out := to[from:]
	for ; len(raw) >= 16 && len(out) >= 4; raw, out = raw[16:], out[4:] {
		out[0] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[0:4])))
		out[1] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4:8])))
		out[2] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[8:12])))
		out[3] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[12:16])))
	}
	for i := range out {
		out[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])))
	}
	return to
}

// begin notes where the values of a tensor begin in the decoder's memory.
func (d *OIP) begin(t *tensor) {
	t.from = len(d.numbers)
	if t.datatype != numberType {
		t.from = len(d.texts)
	}
}

// end notes where they end.
func (d *OIP) end(t *tensor) {
	t.to = len(d.numbers)
	if t.datatype != numberType {
		t.to = len(d.texts)
	}
	t.read = true
}

// dimension takes the next dimension of a tensor's shape; rank is how many were
// before it.
func (t *tensor) dimension(n int64, rank int) {
	switch {
	case n < 0 || n > math.MaxInt32 || t.width > math.MaxInt32:
		t.shaped = false
	case rank == 0:
		t.rows = int(n)
	default:
		t.width *= int(n)
	}
}

// rawValues reads the values of a tensor from their bytes.
func (d *OIP) rawValues(t *tensor, datatype string, raw []byte) *Fault {
	if t.datatype == numberType && datatype == "FP32" && len(raw)%4 == 0 {
		d.begin(t)
		d.numbers = appendSingles(d.numbers, raw)
		d.end(t)
		return nil
	}
	d.behind, t.raw = raw, len(raw)
	return d.readBinary(t, datatype)
}
