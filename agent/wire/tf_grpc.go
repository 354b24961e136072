package wire

import (
	"slices"
	"strconv"
)

// tfGRPC is TensorFlow Serving's Predict. Tensors without dimensions, which are
// settings rather than rows, stand for every row.
var tfGRPC = grpcForm{
	protocolForm: protocolForm{protocols: []Protocol{TFServingGRPC}},
	methods:      []string{"/tensorflow.serving.PredictionService/Predict"},
	request:      func(g *grpcReader, m []byte) *Fault { return g.predict(m, tfRequest) },
	response:     func(g *grpcReader, m []byte) *Fault { return g.predict(m, tfResponse) },
	modelOf: func(b []byte) string {
		f := protoFields{rest: b}
		for range maxPeeked {
			if !f.next() {
				break
			}
			if f.is(protoBytes) == tfRequest.spec {
				return firstText(f.bytes, 1)
			}
		}
		return ""
	},
}

type predictSide struct {
	request       bool
	spec, tensors uint64
}

var (
	tfRequest  = predictSide{request: true, spec: 1, tensors: 2}
	tfResponse = predictSide{spec: 2, tensors: 1}
)

// specVersion is the version that a ModelSpec tells: a number or a label, the
// last one of them.
type specVersion struct {
	number   int64
	label    string
	isNumber bool
}

// predict reads a message.
func (g *grpcReader) predict(message []byte, side predictSide) *Fault {
	first := len(g.oip.tensors)
	g.spec = specVersion{}
	f := protoFields{rest: message}
	for f.next() {
		switch n := f.is(protoBytes); {
		case n == side.spec:
			if !g.modelSpec(f.bytes, side.request) {
				return broken(f.bytes)
			}
		case n == side.tensors:
			if err := g.namedTensor(f.bytes, first); err != nil {
				return err
			}
		}
	}
	if f.broken {
		return broken(message)
	}
	version := g.spec.label
	if g.spec.isNumber {
		version = g.oip.names.keep(alias(strconv.AppendInt(g.number[:0], g.spec.number, 10)))
	}
	if side.request {
		g.asked = version
	} else {
		g.oip.version = version
	}
	return nil
}

// modelSpec reads name and version; false where the message is broken.
func (g *grpcReader) modelSpec(message []byte, request bool) bool {
	f := protoFields{rest: message}
	for f.next() {
		switch f.is(protoBytes) {
		case 1:
			if request {
				g.model = alias(f.bytes)
			}
		case 2:
			if !g.spec.isNumber {
				g.spec = specVersion{isNumber: true}
			}
			inner := protoFields{rest: f.bytes}
			for inner.next() {
				if inner.is(protoVarint) == 1 {
					g.spec.number = int64(inner.value)
				}
			}
			f.broken = f.broken || inner.broken
		case 4:
			g.spec = specVersion{label: alias(f.bytes)}
		}
	}
	return !f.broken
}

// namedTensor reads an entry of the map of tensors. Of two with one name the
// last one counts.
func (g *grpcReader) namedTensor(entry []byte, first int) *Fault {
	o := g.oip
	t := tensor{dataAt: -1, raw: -1, rows: 1, width: 1, shaped: true}
	h := tensorHead{}
	f := protoFields{rest: entry}
	for f.next() {
		switch f.is(protoBytes) {
		case 1:
			t.name = alias(f.bytes)
		case 2:
			if !h.read(&t, f.bytes) {
				return broken(f.bytes)
			}
		}
	}
	if f.broken {
		return broken(entry)
	}
	for i := first; i < len(o.tensors); i++ {
		if o.tensors[i].name == t.name {
			o.tensors = slices.Delete(o.tensors, i, i+1)
			g.forgetScalar(i)
			break
		}
	}
	datatype := tfDatatype(h.dtype)
	if t.datatype = parseDatatype(datatype); t.datatype == unknownType {
		return fault(UnsupportedDatatype, "tensor %.60q has dtype %d", t.name, h.dtype)
	}
	if err := g.tensorValues(&t, &h, datatype, entry); err != nil {
		return err
	}
	if h.rank == 0 && t.shaped {
		g.scalars = append(g.scalars, len(o.tensors))
	}
	return g.add(&t, first)
}

// forgetScalar makes up for a tensor that was taken out of the list.
func (g *grpcReader) forgetScalar(at int) {
	g.scalars = slices.DeleteFunc(g.scalars, func(i int) bool { return i == at })
	for i := range g.scalars {
		if g.scalars[i] > at {
			g.scalars[i]--
		}
	}
}

// tensorHead is what a TensorProto tells beside name and shape.
type tensorHead struct {
	dtype   uint64
	rank    int
	content []byte // all values as raw bytes; empty: they stand in fields
}

// read takes all but the single values; false where the message is broken.
func (h *tensorHead) read(t *tensor, message []byte) bool {
	f := protoFields{rest: message}
	for f.next() {
		switch {
		case f.is(protoVarint) == 1:
			h.dtype = uint64(uint32(f.value))
		case f.is(protoBytes) == 2:
			f.broken = !h.shape(t, f.bytes) || f.broken
		case f.is(protoBytes) == 4:
			h.content = f.bytes
		}
	}
	return !f.broken
}

func (h *tensorHead) shape(t *tensor, message []byte) bool {
	f := protoFields{rest: message}
	for f.next() {
		switch {
		case f.is(protoBytes) == 2:
			size := int64(0)
			inner := protoFields{rest: f.bytes}
			for inner.next() {
				if inner.is(protoVarint) == 1 {
					size = int64(inner.value)
				}
			}
			f.broken = f.broken || inner.broken
			t.dimension(size, h.rank)
			h.rank++
		case f.is(protoVarint) == 3:
			t.shaped = t.shaped && f.value == 0 // the rank is not known
		}
	}
	return !f.broken
}

// tensorValues reads the values of the tensor in an entry of the map.
func (g *grpcReader) tensorValues(t *tensor, h *tensorHead, datatype string, entry []byte) *Fault {
	o := g.oip
	switch {
	case len(h.content) > 0 && t.datatype == bytesType:
		return g.contentTexts(t, h.content)
	case len(h.content) > 0:
		return o.rawValues(t, datatype, h.content)
	}
	o.begin(t)
	values := tfValues(datatype)
	f := protoFields{rest: entry}
	for f.next() {
		if f.is(protoBytes) != 2 {
			continue
		}
		inner := protoFields{rest: f.bytes}
		for inner.next() {
			if !o.takeValues(&inner, values) {
				inner.broken = true
			}
		}
		if inner.broken {
			return broken(f.bytes)
		}
	}
	o.end(t)
	return g.fill(t)
}
