package ingest

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/evenkeel/evenkeel/collector/spool"
)

// cursor walks the fields of one protobuf message, in the order of its bytes.
// Texts that it gives are parts of the message, not copies.
type cursor struct {
	rest string // behind the present field
	bad  bool   // what follows is not protobuf, or a group

	number int
	wire   protowire.Type
	bits   uint64 // of a varint or a fixed number
	text   string // of a field with a length
}

// next goes to the next field; false at the end, or where it is bad.
func (c *cursor) next() bool {
	if c.rest == "" {
		return false
	}
	tag, n := uvarint(c.rest)
	c.number, c.wire = int(tag>>3), protowire.Type(tag&7)
	if n == 0 || tag>>3 == 0 || tag > 1<<31 {
		c.bad = true
		return false
	}
	body := c.rest[n:]
	switch c.wire {
	case protowire.VarintType:
		c.bits, n = uvarint(body)
		c.bad = n == 0
	case protowire.Fixed64Type:
		if n = 8; len(body) < n {
			c.bad = true
			return false
		}
		c.bits = fixed64(body)
	case protowire.Fixed32Type:
		if n = 4; len(body) < n {
			c.bad = true
			return false
		}
		c.bits = uint64(body[0]) | uint64(body[1])<<8 | uint64(body[2])<<16 | uint64(body[3])<<24
	case protowire.BytesType:
		c.text, n = lengthened(body)
		c.bad = n == 0
	default:
		c.bad = true
	}
	if c.bad {
		return false
	}
	c.rest = body[n:]
	return true
}

// is says what the present field is.
func (c *cursor) is(number int, wire protowire.Type) bool {
	return c.number == number && c.wire == wire
}

func fixed64(b string) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// uvarint reads a varint and says how many bytes it has; 0: there is none.
func uvarint(b string) (v uint64, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	for i := 0; i < len(b) && i < 9; i++ { // nine bytes hold 63 bits: longer ones are left to others
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}

// lengthened reads a length and the bytes that it counts; n is of both, and 0
// where they are not there.
func lengthened(b string) (text string, n int) {
	size, n := uvarint(b)
	if n == 0 || size > uint64(len(b)-n) {
		return "", 0
	}
	end := n + int(size)
	return b[n:end], end
}

// scalar is the value of an attribute that is a text, a truth or a number.
type scalar struct {
	field int // of AnyValue
	text  string
	bits  uint64
}

// The fields of AnyValue that are scalars.
const (
	scalarText  = 1
	scalarBool  = 2
	scalarInt   = 3
	scalarFloat = 4
)

// readAttribute reads a KeyValue with one key and one scalar as its value, in
// either order; false: it is another one.
func readAttribute(kv string) (key string, v scalar, ok bool) {
	var value string
	for range 2 {
		if kv == "" {
			return "", scalar{}, false
		}
		text, n := lengthened(kv[1:])
		switch {
		case n == 0:
			return "", scalar{}, false
		case kv[0] == 1<<3|byte(protowire.BytesType):
			key = text
		case kv[0] == 2<<3|byte(protowire.BytesType):
			value = text
		}
		kv = kv[1+n:]
	}
	if kv != "" || key == "" || value == "" {
		return "", scalar{}, false // the same twice is one missing
	}
	v, ok = readScalar(value)
	return key, v, ok
}

func readScalar(value string) (v scalar, ok bool) {
	body, n := value[1:], 0
	switch value[0] {
	case scalarText<<3 | byte(protowire.BytesType):
		v.field = scalarText
		v.text, n = lengthened(body)
	case scalarBool<<3 | byte(protowire.VarintType):
		v.field = scalarBool
		if v.bits, n = uvarint(body); v.bits != 0 {
			v.bits = 1
		}
	case scalarInt<<3 | byte(protowire.VarintType):
		v.field = scalarInt
		v.bits, n = uvarint(body)
	case scalarFloat<<3 | byte(protowire.Fixed64Type):
		if n = 8; len(body) == n {
			v.field, v.bits = scalarFloat, fixed64(body)
		}
	}
	return v, v.field != 0 && n != 0 && n == len(body)
}

// The numbers of the fields that requests of all three signals have in common.
const (
	fieldResource = 1 // of a request
	fieldScope    = 2 // of a resource
	fieldItem     = 2 // of a scope
)

// outline is a request without its items: what it says of resources and scopes,
// as pdata reads it, and the bytes of each item. It is used again and again.
type outline struct {
	request *request
	items   []string // of all scopes, one behind the other
	counts  []int    // how many each scope has

	all, resource, scope []byte // being built
}

// maxOutline bounds the bytes that an outline keeps for the next request.
const maxOutline = 64 << 10

// forget lets the request go.
func (o *outline) forget() {
	items := o.items[:cap(o.items)]
	clear(items)
	if len(items) > maxOutline/16 || cap(o.all)+cap(o.resource)+cap(o.scope) > maxOutline {
		*o = outline{}
	}
	o.request = nil
}

// read takes a request apart; false: it is left to pdata as a whole.
func (o *outline) read(kind spool.Kind, payload string) bool {
	clear(o.items)
	o.items, o.counts, o.all = o.items[:0], o.counts[:0], o.all[:0]
	top := cursor{rest: payload}
	for top.next() {
		if !top.is(fieldResource, protowire.BytesType) || !o.readResource(top.text) {
			return false
		}
		o.all = protowire.AppendTag(o.all, fieldResource, protowire.BytesType)
		o.all = protowire.AppendBytes(o.all, o.resource)
	}
	var err error
	if !top.bad {
		o.request, err = parse(kind, o.all)
	}
	return !top.bad && err == nil
}

func (o *outline) readResource(text string) bool {
	o.resource = o.resource[:0]
	in := cursor{rest: text}
	for before := in.rest; in.next(); before = in.rest {
		if !in.is(fieldScope, protowire.BytesType) {
			o.resource = append(o.resource, before[:len(before)-len(in.rest)]...)
			continue
		}
		if !o.readScope(in.text) {
			return false
		}
		o.resource = protowire.AppendTag(o.resource, fieldScope, protowire.BytesType)
		o.resource = protowire.AppendBytes(o.resource, o.scope)
	}
	return !in.bad
}

func (o *outline) readScope(text string) bool {
	o.scope = o.scope[:0]
	had := len(o.items)
	in := cursor{rest: text}
	for before := in.rest; in.next(); before = in.rest {
		if in.is(fieldItem, protowire.BytesType) {
			o.items = append(o.items, in.text)
		} else {
			o.scope = append(o.scope, before[:len(before)-len(in.rest)]...)
		}
	}
	o.counts = append(o.counts, len(o.items)-had)
	return !in.bad
}

// nextScope gives the items of the scope that was not asked for yet.
func (o *outline) nextScope() []string {
	n := o.counts[0]
	out := o.items[:n]
	o.items, o.counts = o.items[n:], o.counts[1:]
	return out
}

// alone makes a request of one item, without resource and scope.
func alone(kind spool.Kind, item string) (*request, error) {
	scope := protowire.SizeTag(fieldItem) + protowire.SizeBytes(len(item))
	resource := protowire.SizeTag(fieldScope) + protowire.SizeBytes(scope)
	b := make([]byte, 0, resource+16)
	b = protowire.AppendTag(b, fieldResource, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(resource))
	b = protowire.AppendTag(b, fieldScope, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(scope))
	b = protowire.AppendTag(b, fieldItem, protowire.BytesType)
	return parse(kind, protowire.AppendString(b, item))
}
