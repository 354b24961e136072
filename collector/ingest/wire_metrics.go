package ingest

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"google.golang.org/protobuf/encoding/protowire"
)

// wireMetric is a metric of numbers as it stands in a request.
type wireMetric struct {
	name, unit  string
	points      string // a Gauge or a Sum
	sum         bool
	monotonic   bool
	temporality int32
}

// readMetric reads a metric of numbers; false: it is another one.
func readMetric(item string) (m wireMetric, ok bool) {
	in := cursor{rest: item}
	found := false
	for in.next() {
		if in.wire != protowire.BytesType {
			return m, false
		}
		switch in.number {
		case 1:
			m.name = in.text
		case 2: // the description, which has no place in the tables
		case 3:
			m.unit = in.text
		case 5, 7:
			if found {
				return m, false
			}
			m.points, m.sum, found = in.text, in.number == 7, true
		default:
			return m, false
		}
	}
	if in.bad || !found {
		return m, false
	}
	if !m.sum {
		return m, true // whoever reads the points sees what else there is
	}
	in = cursor{rest: m.points}
	for in.next() {
		switch {
		case in.is(1, protowire.BytesType):
		case in.is(2, protowire.VarintType):
			m.temporality = int32(in.bits)
		case in.is(3, protowire.VarintType):
			m.monotonic = in.bits != 0
		default:
			return m, false
		}
	}
	return m, !in.bad
}

// wirePoint is a number as it stands in a request.
type wirePoint struct {
	at         pcommon.Timestamp
	value      float64
	stale      bool
	attributes string // the bytes of all of them
}

// readPoint reads a point; false: it has exemplars, or is written in an
// unusual way.
func readPoint(text string) (p wirePoint, ok bool) {
	in := cursor{rest: text}
	begin, end := 0, 0
	for before := len(text); in.next(); before = len(in.rest) {
		switch {
		case in.is(2, protowire.Fixed64Type): // the start, which has no place in the tables
		case in.is(3, protowire.Fixed64Type):
			p.at = pcommon.Timestamp(in.bits)
		case in.is(4, protowire.Fixed64Type):
			p.value = math.Float64frombits(in.bits)
		case in.is(6, protowire.Fixed64Type):
			p.value = float64(int64(in.bits))
		case in.is(8, protowire.VarintType):
			p.stale = pmetric.DataPointFlags(uint32(in.bits)).NoRecordedValue()
		case in.is(7, protowire.BytesType):
			switch at := len(text) - before; {
			case end == 0:
				begin = at
			case at != end:
				return p, false // they do not stand together
			}
			end = len(text) - len(in.rest)
		default:
			return p, false
		}
	}
	if p.attributes = text[begin:end]; p.stale {
		p.value = staleNaN
	}
	return p, !in.bad
}

// put puts an attribute into a map.
func (v scalar) put(m pcommon.Map, key string) {
	switch v.field {
	case scalarText:
		m.PutStr(key, v.text)
	case scalarBool:
		m.PutBool(key, v.bits != 0)
	case scalarInt:
		m.PutInt(key, int64(v.bits))
	case scalarFloat:
		m.PutDouble(key, math.Float64frombits(v.bits))
	}
}
