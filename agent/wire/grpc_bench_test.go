package wire

import (
	"fmt"
	"math"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
)

// benchCall decodes a call again and again; the rate is of the request's bytes.
func benchCall(b *testing.B, x *Exchange) {
	d := newDecoders(b, nil)
	b.SetBytes(int64(len(x.Request.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(x); err != nil {
			b.Fatal(err)
		}
	}
}

func rawCall(rows, width int) *Exchange {
	values := make([]float32, rows*width)
	for i := range values {
		values[i] = float32(i) / 7
	}
	return inferCall(
		fmt.Sprintf(`{"modelName":"m","inputs":[{"name":"x","datatype":"FP32","shape":["%d","%d"]}],"rawInputContents":[%q]}`, rows, width, raw(values)),
		fmt.Sprintf(`{"outputs":[{"name":"y","datatype":"UINT8","shape":["%d"]}],"rawOutputContents":[%q]}`, rows, raw(make([]byte, rows))))
}

func predictRaw(rows, width int) *Exchange {
	return predictCall(
		fmt.Sprintf(`{"modelSpec":{"name":"m"},"inputs":{"x":{"dtype":1,"tensorShape":{"dim":[{"size":"%d"},{"size":"%d"}]},"tensorContent":%q}}}`, rows, width, raw(make([]float32, rows*width))),
		fmt.Sprintf(`{"outputs":{"y":{"dtype":4,"tensorShape":{"dim":[{"size":"%d"}]},"tensorContent":%q}}}`, rows, raw(make([]byte, rows))))
}

// BenchmarkCalls reads small and large tensors of single precision.
func BenchmarkCalls(b *testing.B) {
	b.Run("infer/1x10", func(b *testing.B) { benchCall(b, rawCall(1, 10)) })
	b.Run("infer/100KB-one-column", func(b *testing.B) { benchCall(b, rawCall(25600, 1)) })
	b.Run("infer/100KB-100-columns", func(b *testing.B) { benchCall(b, rawCall(256, 100)) })
	b.Run("infer/4MB-one-column", func(b *testing.B) { benchCall(b, rawCall(1<<20, 1)) })
	b.Run("predict/1x10", func(b *testing.B) { benchCall(b, predictRaw(1, 10)) })
	b.Run("predict/100KB-one-column", func(b *testing.B) { benchCall(b, predictRaw(25600, 1)) })
}

// BenchmarkCallsAgainstTheLibrary reads a call of typed values; ratio is how many
// times longer the protobuf library takes to read the request alone, made at run
// time as ours is, both at their fastest.
func BenchmarkCallsAgainstTheLibrary(b *testing.B) {
	values := make([]float32, 25600)
	request := grpctest.Message("inference.ModelInferRequest", `{"modelName":"m","inputs":[{"name":"x","datatype":"FP32","shape":["25600"],"contents":{}}]}`)
	inputs := request.Mutable(request.Descriptor().Fields().ByName("inputs")).List().Get(0).Message()
	contents := inputs.Mutable(inputs.Descriptor().Fields().ByName("contents")).Message()
	list := contents.Mutable(contents.Descriptor().Fields().ByName("fp32_contents")).List()
	for i := range values {
		list.Append(protoreflect.ValueOfFloat32(float32(i)))
	}
	x := rawCall(25600, 1)
	x.Request.Body = grpctest.Frame(grpctest.Bytes(request), false)
	d := newDecoders(b, nil)
	ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		if _, err := d.Decode(x); err != nil {
			b.Fatal(err)
		}
		ours = min(ours, time.Since(start))
		start = time.Now()
		m := grpctest.Empty("inference.ModelInferRequest")
		if err := proto.Unmarshal(x.Request.Body[grpcPrefix:], m); err != nil {
			b.Fatal(err)
		}
		theirs = min(theirs, time.Since(start))
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
}

// Small and large calls are decoded in memory that is there already.
func TestCallsAreDecodedWithoutAllocation(t *testing.T) {
	d := newDecoders(t, map[string]Model{"m": {}})
	for name, x := range map[string]*Exchange{
		"small": rawCall(1, 10), "large": rawCall(2560, 10), "predict": predictRaw(10, 10),
		"scalar": predictCall(`{"modelSpec":{"name":"m","version":"12"},"inputs":{"x":{"dtype":1,"tensorShape":{"dim":[{"size":"2"}]},"floatVal":[1,2]},"t":{"dtype":1,"floatVal":[0.5]}}}`, predictAnswer),
	} {
		decode := func() {
			if _, err := d.Decode(x); err != nil {
				t.Fatal(name, err)
			}
		}
		decode()
		if n := testing.AllocsPerRun(20, decode); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
