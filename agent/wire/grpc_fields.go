package wire

import "encoding/binary"

// protoFields reads the fields of one protobuf message, in the order in which
// they stand. It copies nothing, and believes no length:
//
//	f := protoFields{rest: message}
//	for f.next() { switch f.is() ... }
//	if f.broken { ... }
type protoFields struct {
	rest   []byte
	number uint64    // of the field at hand
	kind   protoKind // how its value travels
	value  uint64    // of a varint or a fixed one
	bytes  []byte    // of a text, a message or packed values; aliases the message
	broken bool      // what comes next is no field
}

// protoKind is the wire type of a field.
type protoKind uint8

// The kinds that a field may be of. Groups are passed over: nothing that is
// decoded here has any.
const (
	protoVarint  protoKind = 0
	protoFixed64 protoKind = 1
	protoBytes   protoKind = 2
	protoGroup   protoKind = 3
	protoEnd     protoKind = 4
	protoFixed32 protoKind = 5
)

const (
	maxFieldNumber = 1<<29 - 1

	// maxGroups bounds groups within groups, as other readers do.
	maxGroups = 10_000
)

// next takes a field; false at the end of the message, and where it is broken.
func (f *protoFields) next() bool {
	for len(f.rest) > 0 && !f.broken {
		f.tag()
		switch {
		case f.broken:
			return false
		case f.kind == protoGroup:
			f.skipGroup(f.number, 0)
		case f.kind == protoEnd:
			f.broken = true
		default:
			f.take()
			return !f.broken
		}
	}
	return false
}

// is gives the field's number where it is of a kind, else 0, which is no
// field's. A known number with another kind is a field that is not known.
func (f *protoFields) is(kind protoKind) uint64 {
	if f.kind != kind {
		return 0
	}
	return f.number
}

func (f *protoFields) tag() {
	tag := f.varint()
	f.number, f.kind = tag>>3, protoKind(tag&7)
	f.broken = f.broken || f.number == 0 || f.number > maxFieldNumber
}

// take reads the value of a field whose tag is read.
func (f *protoFields) take() {
	switch f.kind {
	case protoVarint:
		f.value = f.varint()
	case protoFixed32:
		if b := f.cut(4); b != nil {
			f.value = uint64(binary.LittleEndian.Uint32(b))
		}
	case protoFixed64:
		if b := f.cut(8); b != nil {
			f.value = binary.LittleEndian.Uint64(b)
		}
	case protoBytes:
		f.bytes = f.cut(f.varint())
	default:
		f.broken = true
	}
}

// varint takes a number of up to ten bytes, seven bits each.
func (f *protoFields) varint() uint64 {
	if len(f.rest) > 0 && f.rest[0] < 0x80 {
		x := uint64(f.rest[0])
		f.rest = f.rest[1:]
		return x
	}
	x, n := binary.Uvarint(f.rest)
	if n <= 0 {
		f.broken = true
		return 0
	}
	f.rest = f.rest[n:]
	return x
}

// cut takes n bytes; nil where there are not as many.
func (f *protoFields) cut(n uint64) []byte {
	if f.broken || n > uint64(len(f.rest)) {
		f.broken = true
		return nil
	}
	b := f.rest[:n:n]
	f.rest = f.rest[n:]
	return b
}

// skipGroup passes over what stands between a group's beginning and its end.
func (f *protoFields) skipGroup(number uint64, depth int) {
	if depth > maxGroups {
		f.broken = true
	}
	for !f.broken {
		f.tag()
		switch {
		case f.broken:
		case f.kind == protoGroup:
			f.skipGroup(f.number, depth+1)
		case f.kind == protoEnd:
			f.broken = f.number != number
			return
		default:
			f.take()
		}
	}
}
