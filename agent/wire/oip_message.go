package wire

import "math"

// tensor is one entry of inputs or outputs.
type tensor struct {
	name     string
	datatype datatype
	rows     int // the first dimension
	width    int // the product of the others
	shaped   bool
	from, to int // values in numbers or texts
	gaps     bool
	dataAt   int // where data stands, if it came before the datatype; else -1
	raw      int // bytes behind the JSON; -1: none, the data is in it
	read     bool
}

type datatype uint8

const (
	unknownType datatype = iota
	numberType
	boolType
	bytesType
)

func parseDatatype(s string) datatype {
	switch s {
	case "FP32", "FP64", "INT64", "INT32", "FP16", "BF16", "INT8", "INT16", "UINT8", "UINT16", "UINT32", "UINT64":
		return numberType
	case "BOOL":
		return boolType
	case "BYTES":
		return bytesType
	}
	return unknownType
}

// message reads the JSON of one side: the tensors under list, and the request's
// id and the answer's model_version.
func (d *OIP) message(text []byte, list string) *Fault {
	s := &d.scan
	s.begin(text)
	first := len(d.tensors)
	var bad *Fault
	s.object(func(key string) {
		switch key {
		case list:
			d.tensors = d.tensors[:first] // of two lists the last one counts, as in other readers
			s.array(func() {
				if f := d.tensor(); f != nil && bad == nil {
					bad = f
				}
			})
		case "model_version":
			if s.next() == '"' {
				d.version = s.str()
			} else {
				d.version = d.raw()
			}
		case "id":
			d.identifier(list == "inputs")
		default:
			s.skip(0)
		}
	})
	s.finish()
	if s.err != nil {
		return s.err
	}
	return bad
}

// identifier takes the id of a message, and keeps a request's: the answer only
// repeats it. An id that is no string breaks the protocol and names nothing.
func (d *OIP) identifier(keep bool) {
	s := &d.scan
	if s.next() != '"' {
		s.skip(0)
		return
	}
	if id := s.str(); keep {
		d.id = id
	}
}

// raw takes a value that is no string and gives its text; null is empty.
func (d *OIP) raw() string {
	s := &d.scan
	s.next()
	start := s.at
	s.skip(0)
	if s.err != nil {
		return ""
	}
	if text := alias(s.text[start:s.at]); text != "null" {
		return text
	}
	return ""
}

// tensor reads one entry of the list. Its faults do not stop the scan, so that
// broken JSON behind them is called that.
func (d *OIP) tensor() *Fault {
	s := &d.scan
	t := tensor{dataAt: -1, raw: -1}
	var typeName string
	s.object(func(key string) {
		switch key {
		case "name":
			t.name = s.str()
		case "datatype":
			typeName = s.str()
			t.datatype = parseDatatype(typeName)
		case "shape":
			d.shape(&t)
		case "data":
			s.next()
			if t.datatype != unknownType {
				d.data(&t)
				return
			}
			t.dataAt = s.at
			s.skip(0)
		case "parameters":
			t.raw = s.binarySize()
		default:
			s.skip(0)
		}
	})
	if s.err != nil {
		return nil
	}
	if t.datatype == unknownType {
		return fault(UnsupportedDatatype, "tensor %.60q has datatype %.60q", t.name, typeName)
	}
	if t.dataAt >= 0 && !t.read {
		end := s.at
		s.at = t.dataAt
		d.data(&t)
		s.at = end
	}
	if t.raw >= 0 {
		if f := d.readBinary(&t, typeName); f != nil {
			return f
		}
	}
	return d.keep(&t)
}

// keep checks a tensor that was read as a whole and adds it.
func (d *OIP) keep(t *tensor) *Fault {
	switch {
	case d.scan.err != nil:
		return nil
	case !t.shaped:
		return fault(ShapeMismatch, "tensor %.60q has no usable shape", t.name)
	case !t.read:
		return fault(ShapeMismatch, "tensor %.60q has no data", t.name)
	case t.width == 0 && t.to == t.from:
	case t.width == 0 || (t.to-t.from)/t.width != t.rows || (t.to-t.from)%t.width != 0:
		return fault(ShapeMismatch, "tensor %.60q has %d values for shape [%d] of %d", t.name, t.to-t.from, t.rows, t.width)
	}
	d.tensors = append(d.tensors, *t)
	return nil
}

// shape reads the dimensions. No dimension is one row of one value.
func (d *OIP) shape(t *tensor) {
	s := &d.scan
	dimensions, usable := 0, true
	t.rows, t.width = 1, 1
	s.array(func() {
		n := s.number()
		if !(n >= 0 && n <= math.MaxInt32) || n != math.Trunc(n) || t.width > math.MaxInt32 {
			usable = false
			return
		}
		if dimensions == 0 {
			t.rows = int(n)
		} else {
			t.width *= int(n)
		}
		dimensions++
	})
	t.shaped = usable
}
