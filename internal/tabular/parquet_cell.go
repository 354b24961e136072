package tabular

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// cellWriter appends the text of a value that is not null.
type cellWriter func(text []byte, v parquet.Value) []byte

const lengthOfUUID = 16

// writerOf chooses how values of a type are written: numbers so that they read
// back as they were, instants as in RFC 3339, decimals with their point. It is
// nil, with a word on what it is, for a type that is neither number, text nor
// time.
func writerOf(t parquet.Type) (write cellWriter, what string) {
	if logical := t.LogicalType(); logical != nil && logical.Value != nil {
		switch l := logical.Value.(type) {
		case *format.DecimalType:
			return decimalWriter(t.Kind(), int(l.Scale)), ""
		case *format.DateType:
			return writeDate, ""
		case *format.TimestampType:
			return timeWriter(l.Unit, time.RFC3339Nano), ""
		case *format.TimeType:
			return timeWriter(l.Unit, "15:04:05.999999999"), ""
		case *format.IntType:
			if !l.IsSigned {
				return unsignedWriter(t.Kind()), ""
			}
		case *format.UUIDType:
			if t.Length() == lengthOfUUID {
				return writeUUID, ""
			}
		case *format.StringType, *format.EnumType, *format.JsonType:
		default:
			return nil, strings.ToLower(logical.String())
		}
	}
	return physicalWriter(t.Kind())
}

func physicalWriter(k parquet.Kind) (cellWriter, string) {
	switch k {
	case parquet.Boolean:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendBool(b, v.Boolean()) }, ""
	case parquet.Int32:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, int64(v.Int32()), 10) }, ""
	case parquet.Int64:
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendInt(b, v.Int64(), 10) }, ""
	case parquet.Int96:
		return writeInt96, ""
	case parquet.Float: // widened as it is: 0.1 is 0.10000000149011612
		return func(b []byte, v parquet.Value) []byte { return appendFloat(b, float64(v.Float())) }, ""
	case parquet.Double:
		return func(b []byte, v parquet.Value) []byte { return appendFloat(b, v.Double()) }, ""
	case parquet.ByteArray:
		return func(b []byte, v parquet.Value) []byte { return append(b, v.ByteArray()...) }, ""
	}
	return nil, "bytes of fixed length"
}

func appendFloat(b []byte, x float64) []byte { return strconv.AppendFloat(b, x, 'g', -1, 64) }

func unsignedWriter(k parquet.Kind) cellWriter {
	if k == parquet.Int64 {
		return func(b []byte, v parquet.Value) []byte { return strconv.AppendUint(b, v.Uint64(), 10) }
	}
	return func(b []byte, v parquet.Value) []byte { return strconv.AppendUint(b, uint64(v.Uint32()), 10) }
}

const secondsADay = 24 * 60 * 60

func writeDate(b []byte, v parquet.Value) []byte {
	return time.Unix(int64(v.Int32())*secondsADay, 0).UTC().AppendFormat(b, time.DateOnly)
}

// timeWriter writes steps of a unit since the epoch, or since midnight.
func timeWriter(unit format.TimeUnit, layout string) cellWriter {
	step := time.Nanosecond
	if unit.Value != nil {
		step = unit.Value.Duration()
	}
	aSecond := int64(time.Second / step)
	return func(b []byte, v parquet.Value) []byte {
		n := int64(0)
		if v.Kind() == parquet.Int32 {
			n = int64(v.Int32())
		} else {
			n = v.Int64()
		}
		return time.Unix(n/aSecond, n%aSecond*int64(step)).UTC().AppendFormat(b, layout)
	}
}

// writeInt96 writes the instants of older Spark and Hive: nanoseconds of the
// day, then the Julian day.
func writeInt96(b []byte, v parquet.Value) []byte {
	const julianEpoch = 2440588
	raw := v.Int96()
	nanoseconds := int64(raw[1])<<32 | int64(raw[0])
	days := int64(int32(raw[2])) - julianEpoch
	return time.Unix(days*secondsADay, nanoseconds).UTC().AppendFormat(b, time.RFC3339Nano)
}

// decimalWriter writes an unscaled integer with its decimal point.
func decimalWriter(k parquet.Kind, scale int) cellWriter {
	return func(b []byte, v parquet.Value) []byte {
		var digits string
		switch k {
		case parquet.Int32:
			digits = strconv.FormatInt(int64(v.Int32()), 10)
		case parquet.Int64:
			digits = strconv.FormatInt(v.Int64(), 10)
		default:
			digits = twosComplement(v.ByteArray()).String()
		}
		if digits, negative := strings.CutPrefix(digits, "-"); negative {
			return appendPoint(append(b, '-'), digits, scale)
		}
		return appendPoint(b, digits, scale)
	}
}

func appendPoint(b []byte, digits string, scale int) []byte {
	if scale <= 0 {
		return append(b, digits...)
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	b = append(b, digits[:point]...)
	b = append(b, '.')
	return append(b, digits[point:]...)
}

// twosComplement reads a big-endian integer of any length.
func twosComplement(raw []byte) *big.Int {
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(raw))))
	}
	return n
}

func writeUUID(b []byte, v parquet.Value) []byte {
	raw := v.ByteArray()
	for i, part := range [][]byte{raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}
