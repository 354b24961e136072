package wire

import (
	"math"
	"strings"
)

// seldonForm reads Seldon's protocol V1, POST /api/v1.0/predictions, also
// behind the ingress, where the deployment is the model:
//
//	{"data": {"names": [...], "ndarray": [[...], ...]}}
//	{"data": {"names": [...], "tensor": {"shape": [n, f], "values": [...]}}}
//	{"jsonData": ...}, {"strData": "..."}
//
// The puid of a message's meta names the request; the server makes one up where
// the client sent none.
var seldonForm = protocolForm{
	protocols: []Protocol{Seldon},
	split:     splitSeldonPath,
	request:   (*reader).seldonMessage,
	response:  (*reader).seldonMessage,
}

func (r *reader) seldonMessage(t *table) {
	s := &r.scan
	s.object(func(key string) {
		switch key {
		case "data":
			r.seldonData(t)
		case "jsonData":
			t.clear()
			r.anyForm(t)
		case "strData":
			t.clear()
			r.rows(t)
		case "meta":
			r.seldonMeta()
		default:
			s.skip(0)
		}
	})
	s.finish()
}

func (r *reader) seldonMeta() {
	s := &r.scan
	if s.next() != '{' {
		s.skip(0)
		return
	}
	s.object(func(key string) {
		if key == "puid" && s.next() == '"' {
			r.id = s.str()
		} else {
			s.skip(0)
		}
	})
}

// splitSeldonPath reads [/seldon/NAMESPACE/NAME]/api/v1.0/predictions, and
// v0.1, the same protocol's name of old.
func splitSeldonPath(path string) (model, version string, ok bool) {
	prefix, ok := strings.CutSuffix(path, "/api/v1.0/predictions")
	if !ok {
		prefix, ok = strings.CutSuffix(path, "/api/v0.1/predictions")
	}
	if !ok || prefix == "" {
		return "", "", ok
	}
	rest, ok := strings.CutPrefix(prefix, "/seldon/")
	namespace, model, named := strings.Cut(rest, "/")
	return model, "", ok && named && namespace != "" && model != "" && !strings.Contains(model, "/")
}

func (r *reader) seldonData(t *table) {
	s := &r.scan
	t.clear()
	s.object(func(key string) {
		switch key {
		case "names":
			if s.next() == '[' {
				r.header(t)
			} else {
				s.skip(0)
			}
		case "ndarray":
			t.lists, t.rows = t.lists[:0], 0
			r.rows(t)
		case "tensor":
			t.lists, t.rows = t.lists[:0], 0
			r.seldonTensor(t)
		case "tftensor":
			r.wrong(UnsupportedDatatype, "a tensor of TensorFlow's own encoding")
			s.skip(0)
		default:
			s.skip(0)
		}
	})
}

// seldonTensor reads values that stand row by row, and their shape.
func (r *reader) seldonTensor(t *table) {
	s := &r.scan
	rows, size := -1, 1
	l := t.list(t.base)
	l.plain = true
	s.object(func(key string) {
		switch key {
		case "shape":
			rows, size = -1, 1
			s.array(func() {
				n := s.number()
				if !(n >= 0 && n <= math.MaxInt32) || n != math.Trunc(n) || size > math.MaxInt32 {
					n, size = 0, 0
				}
				if rows < 0 {
					rows = int(n)
				} else {
					size *= int(n)
				}
			})
		case "values":
			l.begin(l.name)
			l.plain = true
			if s.next() == '[' {
				r.vector(l, 0)
			} else {
				s.skip(0)
			}
		default:
			s.skip(0)
		}
	})
	if rows < 0 || rows > maxRows || rows*size != len(l.numbers) {
		r.wrong(ShapeMismatch, "a tensor of %d values has shape [%d] of %d", len(l.numbers), rows, size)
		return
	}
	l.width, l.rows, t.rows = size, rows, rows
	if size > maxColumns && t.side.columns[l.name] == nil {
		l.wide = true
	}
}
