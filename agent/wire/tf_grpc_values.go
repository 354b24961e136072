package wire

import (
	"math"
	"slices"
)

// fill repeats the last value of a tensor that has fewer than its shape says;
// without any they are zero, or empty.
func (g *grpcReader) fill(t *tensor) *Fault {
	have := t.to - t.from
	lacking := t.rows*t.width - have
	if !t.shaped || t.width != 0 && t.rows > math.MaxInt32/t.width || lacking <= 0 {
		return nil // keep finds what is wrong
	}
	if g.repeated += lacking; g.repeated > maxPadded {
		return fault(ShapeMismatch, "tensors lack more than %d values", maxPadded)
	}
	g.again(t, lacking)
	return nil
}

// again adds n times the last value of a tensor that was just read.
func (g *grpcReader) again(t *tensor, n int) {
	o := g.oip
	if t.datatype == numberType {
		last := 0.0
		if t.to > t.from {
			last = o.numbers[t.to-1]
		}
		for range n {
			o.numbers = append(o.numbers, last)
		}
	} else {
		last := ""
		if t.datatype == boolType {
			last = boolText(0)
		}
		if t.to > t.from {
			last = o.texts[t.to-1]
		}
		for range n {
			o.texts, o.missing = append(o.texts, last), append(o.missing, false)
		}
	}
	o.end(t)
}

// contentTexts reads texts: all their lengths, and then all of them.
func (g *grpcReader) contentTexts(t *tensor, content []byte) *Fault {
	o := g.oip
	o.begin(t)
	n := t.rows * t.width
	if !t.shaped || t.width != 0 && t.rows > len(content)/t.width {
		return fault(ShapeMismatch, "tensor %.60q has %d bytes for shape [%d] of %d", t.name, len(content), t.rows, t.width)
	}
	lengths := protoFields{rest: content}
	texts := protoFields{rest: content}
	for range n {
		texts.varint()
	}
	for range n {
		text := texts.cut(lengths.varint())
		if texts.broken || lengths.broken {
			return fault(Binary, "tensor %.60q ends within a text", t.name)
		}
		o.texts, o.missing = append(o.texts, alias(text)), append(o.missing, false)
	}
	if len(texts.rest) > 0 {
		return fault(Binary, "tensor %.60q has %d bytes more than its texts", t.name, len(texts.rest))
	}
	o.end(t)
	return nil
}

// spread makes the one value of a tensor without dimensions that of every row.
func (g *grpcReader) spread() *Fault {
	o := g.oip
	rows, found := 1, false
	for i := range o.tensors {
		if !slices.Contains(g.scalars, i) {
			rows, found = o.tensors[i].rows, true
			break
		}
	}
	if !found || rows == 1 {
		return nil
	}
	for _, i := range g.scalars {
		t := &o.tensors[i]
		if g.repeated += rows; g.repeated > maxPadded {
			return fault(ShapeMismatch, "tensors lack more than %d values", maxPadded)
		}
		scalar := *t
		o.begin(t)
		if t.datatype == numberType {
			o.numbers = append(o.numbers, o.numbers[scalar.from:scalar.to]...)
		} else {
			o.texts, o.missing = append(o.texts, o.texts[scalar.from:scalar.to]...), append(o.missing, false)
		}
		o.end(t)
		if rows == 0 {
			t.to = t.from
		} else {
			g.again(t, rows-1)
		}
		t.rows = rows
	}
	return nil
}

// tfDatatype gives a dtype's name in the V2 protocol; empty: not read.
func tfDatatype(dtype uint64) string {
	if dtype < uint64(len(tfDatatypes)) {
		return tfDatatypes[dtype]
	}
	return ""
}

var tfDatatypes = [...]string{
	1: "FP32", 2: "FP64", 3: "INT32", 4: "UINT8", 5: "INT16", 6: "INT8", 7: "BYTES", 9: "INT64", 10: "BOOL",
	14: "BF16", 17: "UINT16", 19: "FP16", 22: "UINT32", 23: "UINT64",
}

// tfValues tells the field of TensorProto that is a datatype's.
func tfValues(datatype string) valueField {
	switch datatype {
	case "FP32":
		return valueField{5, singleForm}
	case "FP64":
		return valueField{6, doubleForm}
	case "INT32", "INT16", "INT8", "UINT16", "UINT8":
		return valueField{7, signed32Form}
	case "BYTES":
		return valueField{8, textForm}
	case "INT64":
		return valueField{10, signed64Form}
	case "BOOL":
		return valueField{11, booleanForm}
	case "FP16":
		return valueField{13, halfForm}
	case "BF16":
		return valueField{13, brainForm}
	case "UINT32":
		return valueField{16, unsigned32Form}
	case "UINT64":
		return valueField{17, unsigned64Form}
	}
	return valueField{}
}
