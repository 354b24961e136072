package wire

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
	"github.com/evenkeel/evenkeel/signal"
)

// FuzzModelInfer and FuzzPredict read messages as the protobuf library does: what
// it takes is no broken message to us, and says the same when the library has
// written it anew, in its order and packed.
func FuzzModelInfer(f *testing.F) {
	seed(f, "inference.ModelInferRequest",
		`{"modelName":"m","id":"q","inputs":[{"name":"x","datatype":"FP32","shape":["2"],"contents":{"fp32Contents":[1,2]}},{"name":"b","datatype":"BYTES","shape":["2","1"],"contents":{"bytesContents":["YQ==","Yg=="]}}]}`,
		`{"modelName":"m","inputs":[{"name":"x","datatype":"INT64","shape":["2","2"]}],"rawInputContents":["AQAAAAAAAAACAAAAAAAAAAMAAAAAAAAABAAAAAAAAAA="]}`,
		`{"modelName":"m","inputs":[{"name":"x","datatype":"FP32","shape":["2"],"parameters":{"shared_memory_region":{"stringParam":"r"}}},{"name":"y","datatype":"BOOL","shape":["2"],"contents":{"boolContents":[true,false]}}]}`)
	answer := grpctest.Message("inference.ModelInferResponse", `{"outputs":[{"name":"y","datatype":"INT64","shape":["2"],"contents":{"int64Contents":["1","0"]}}]}`)
	fuzzCall(f, grpctest.Infer, "inference.ModelInferRequest", answer)
}

func FuzzPredict(f *testing.F) {
	two := `"tensorShape":{"dim":[{"size":"2"}]}`
	seed(f, "tensorflow.PredictRequest",
		`{"modelSpec":{"name":"m","version":"3"},"inputs":{"x":{"dtype":1,`+two+`,"floatVal":[1]},"s":{"dtype":7,`+two+`,"stringVal":["YQ==","Yg=="]},"t":{"dtype":10,"boolVal":[true]}}}`,
		`{"modelSpec":{"name":"m","versionLabel":"l"},"inputs":{"x":{"dtype":9,`+two+`,"tensorContent":"AQAAAAAAAAACAAAAAAAAAA=="},"h":{"dtype":19,`+two+`,"halfVal":[15360,49152]}}}`)
	answer := grpctest.Message("tensorflow.PredictResponse", `{"outputs":{"y":{"dtype":9,"tensorShape":{"dim":[{"size":"2"}]},"int64Val":["1","0"]}}}`)
	fuzzCall(f, grpctest.Predict, "tensorflow.PredictRequest", answer)
}

func seed(f *testing.F, name string, messages ...string) {
	for _, m := range messages {
		f.Add(grpctest.Bytes(grpctest.Message(name, m)))
	}
	f.Add([]byte{1 << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2<<3 | 3, 3 << 3, 7, 2<<3 | 4})
}

func fuzzCall(f *testing.F, path, name string, answer proto.Message) {
	d := newDecoders(f, nil)
	response := grpctest.Frame(grpctest.Bytes(answer), false)
	read := func(t *testing.T, message []byte) ([]string, error) {
		x := &Exchange{Path: path, Status: 200, End: answered}
		x.Request.Body, x.Response.Body = grpctest.Frame(message, false), response
		obs, err := d.Decode(x)
		checkWhole(t, obs)
		return told(obs), err
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		got, err := read(t, message)
		if f := new(Fault); err != nil && !errors.As(err, &f) {
			t.Fatalf("%v is no fault", err)
		}
		m := grpctest.Empty(name)
		if !libraryTakes(message, m) {
			return
		}
		if f := new(Fault); errors.As(err, &f) && f.Reason == BadProtobuf {
			t.Fatalf("%v, but it is %v", err, m)
		}
		again, errAgain := read(t, grpctest.Bytes(m))
		if (err == nil) != (errAgain == nil) || !reflect.DeepEqual(got, again) {
			t.Fatalf("%v %v, written anew %v %v", got, err, again, errAgain)
		}
	})
}

// libraryTakes reads a message with the protobuf library. Of messages that are
// made at run time it panics where a map's entry is broken in front of its key.
func libraryTakes(message []byte, m proto.Message) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(message, m) == nil
}

// told is all that an observation says, in an order that does not depend on that
// of the message.
func told(obs *signal.Observation) []string {
	if obs == nil {
		return nil
	}
	out := []string{fmt.Sprint(obs.Model, obs.Rows, obs.Request)}
	for _, c := range obs.Columns {
		out = append(out, fmt.Sprintf("%s %q %v %q", c.Target, c.Name, c.Numbers, c.Strings))
	}
	slices.Sort(out)
	return out
}

// FuzzProtoFields takes fields apart as protowire does.
func FuzzProtoFields(f *testing.F) {
	f.Add([]byte{1<<3 | 2, 1, 'm', 2 << 3, 7, 3<<3 | 5, 1, 2, 3, 4, 4<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{1<<3 | 3, 2<<3 | 3, 2<<3 | 4, 1<<3 | 4, 3 << 3, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2})
	f.Fuzz(func(t *testing.T, message []byte) {
		fields := protoFields{rest: message}
		for b := message; ; {
			number, kind, n := protowire.ConsumeTag(b)
			if n > 0 && number > protowire.MaxValidNumber {
				n = -1
			}
			var value int
			if n > 0 {
				value = protowire.ConsumeFieldValue(number, kind, b[n:])
			}
			if len(b) == 0 || n <= 0 || value < 0 {
				if fields.next() || fields.broken != (len(b) > 0) {
					t.Fatalf("%x: field %d, broken %v", b, fields.number, fields.broken)
				}
				return
			}
			if kind != protowire.StartGroupType {
				if !fields.next() || fields.number != uint64(number) || fields.kind != protoKind(kind) {
					t.Fatalf("%x: field %d of %d, broken %v", b, fields.number, fields.kind, fields.broken)
				}
				sameValue(t, &fields, b[n:n+value])
			}
			b = b[n+value:]
		}
	})
}

func sameValue(t *testing.T, f *protoFields, value []byte) {
	t.Helper()
	var same bool
	switch f.kind {
	case protoVarint:
		x, _ := protowire.ConsumeVarint(value)
		same = x == f.value
	case protoFixed32:
		x, _ := protowire.ConsumeFixed32(value)
		same = uint64(x) == f.value
	case protoFixed64:
		x, _ := protowire.ConsumeFixed64(value)
		same = x == f.value
	case protoBytes:
		x, _ := protowire.ConsumeBytes(value)
		same = string(x) == string(f.bytes)
	}
	if !same {
		t.Fatalf("field %d of %d: %x is %d %x", f.number, f.kind, value, f.value, f.bytes)
	}
}

func TestSinglesAreReadWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "raw")
		before := rapid.SliceOfN(rapid.Float64(), 0, 5).Draw(t, "before")
		want := appendRaw(slices.Clone(before), "FP32", raw)
		got := appendSingles(slices.Clip(before), raw)
		if !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}
