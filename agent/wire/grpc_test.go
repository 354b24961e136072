package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
	"github.com/evenkeel/evenkeel/signal"
)

// inferCall is a call as the tap hands it over; the messages are given as JSON.
func inferCall(request, response string) *Exchange {
	return callOf(grpctest.Infer, grpctest.Message("inference.ModelInferRequest", request), grpctest.Message("inference.ModelInferResponse", response))
}

func predictCall(request, response string) *Exchange {
	return callOf(grpctest.Predict, grpctest.Message("tensorflow.PredictRequest", request), grpctest.Message("tensorflow.PredictResponse", response))
}

func callOf(path string, request, response proto.Message) *Exchange {
	return &Exchange{
		Path: path, Status: 200, End: answered,
		Request:  Message{Body: grpctest.Frame(grpctest.Bytes(request), false)},
		Response: Message{Body: grpctest.Frame(grpctest.Bytes(response), false)},
	}
}

// raw writes values little-endian, as base64.
func raw(values any) string {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, values); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func newDecoders(t testing.TB, models map[string]Model) *Decoders {
	t.Helper()
	d, err := NewDecoders(Options{Models: models, MaxInflated: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	inferAnswer   = `{"modelName":"loans","modelVersion":"3","id":"q","outputs":[{"name":"y","datatype":"INT64","shape":[2],"contents":{"int64Contents":[1,0]}}]}`
	predictAnswer = `{"modelSpec":{"name":"loans","version":"7"},"outputs":{"y":{"dtype":9,"tensorShape":{"dim":[{"size":2}]},"int64Val":[1,0]}}}`
)

func TestModelInfer(t *testing.T) {
	d := newDecoders(t, map[string]Model{"loans": {Inputs: Side{Columns: map[string][]signal.FeatureName{"table": {"income", "age"}}}}})
	for name, c := range map[string]struct {
		inputs string
		want   map[string]any
	}{
		"fp32":    {`"inputs":[{"name":"x","datatype":"FP32","shape":[2],"contents":{"fp32Contents":[1.5,"NaN"]}}]`, map[string]any{"feature x": []any{1.5, nil}}},
		"fp64":    {`"inputs":[{"name":"x","datatype":"FP64","shape":[2,1],"contents":{"fp64Contents":[1.5,-2]}}]`, map[string]any{"feature x": []any{1.5, -2.0}}},
		"int8":    {`"inputs":[{"name":"x","datatype":"INT8","shape":[2],"contents":{"intContents":[-1,2]}}]`, map[string]any{"feature x": []any{-1.0, 2.0}}},
		"int64":   {`"inputs":[{"name":"x","datatype":"INT64","shape":[2],"contents":{"int64Contents":[-1,2]}}]`, map[string]any{"feature x": []any{-1.0, 2.0}}},
		"uint32":  {`"inputs":[{"name":"x","datatype":"UINT32","shape":[2],"contents":{"uintContents":[1,4294967295]}}]`, map[string]any{"feature x": []any{1.0, 4294967295.0}}},
		"uint64":  {`"inputs":[{"name":"x","datatype":"UINT64","shape":[2],"contents":{"uint64Contents":[1,2]}}]`, map[string]any{"feature x": []any{1.0, 2.0}}},
		"bool":    {`"inputs":[{"name":"x","datatype":"BOOL","shape":[2],"contents":{"boolContents":[true,false]}}]`, map[string]any{"feature x": []any{"true", "false"}}},
		"bytes":   {`"inputs":[{"name":"x","datatype":"BYTES","shape":[2],"contents":{"bytesContents":["YQ==","Yg=="]}}]`, map[string]any{"feature x": []any{"a", "b"}}},
		"columns": {`"inputs":[{"name":"table","datatype":"FP32","shape":[2,2],"contents":{"fp32Contents":[1,2,3,4]}}]`, map[string]any{"feature income": []any{1.0, 3.0}, "feature age": []any{2.0, 4.0}}},
		"raw": {
			`"inputs":[{"name":"table","datatype":"FP32","shape":[2,2]},{"name":"b","datatype":"BOOL","shape":[2]},{"name":"h","datatype":"FP16","shape":[2]}],"rawInputContents":["` +
				raw([]float32{1, 2, 3, 4}) + `","` + raw([]bool{true, false}) + `","` + raw([]uint16{0x3c00, 0xc000}) + `"]`,
			map[string]any{"feature income": []any{1.0, 3.0}, "feature age": []any{2.0, 4.0}, "feature b": []any{"true", "false"}, "feature h": []any{1.0, -2.0}},
		},
		"raw texts": {
			`"inputs":[{"name":"x","datatype":"BYTES","shape":[2]}],"rawInputContents":["` + base64.StdEncoding.EncodeToString([]byte("\x01\x00\x00\x00a\x02\x00\x00\x00bc")) + `"]`,
			map[string]any{"feature x": []any{"a", "bc"}},
		},
		"shared memory": {
			`"inputs":[{"name":"m","datatype":"FP32","shape":[2],"parameters":{"shared_memory_region":{"stringParam":"r"}}},{"name":"x","datatype":"FP32","shape":[2]}],"rawInputContents":["` + raw([]float32{1, 2}) + `"]`,
			map[string]any{"feature x": []any{1.0, 2.0}},
		},
		"all in shared memory": {
			`"inputs":[{"name":"m","datatype":"FP32","shape":[2],"parameters":{"shared_memory_region":{"stringParam":"r"}}}]`, map[string]any{},
		},
	} {
		obs, err := d.Decode(inferCall(`{"modelName":"loans","id":"q","parameters":{"a":{"boolParam":true}},`+c.inputs+`}`, inferAnswer))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.want["prediction y"] = []any{1.0, 0.0}
		if got := plain(obs); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, c.want)
		}
		if obs.Rows != 2 || obs.Time != answered || obs.Request != "q" || obs.Model != (signal.ModelRef{Name: "loans", Version: "3"}) {
			t.Errorf("%s: %+v", name, obs)
		}
		if left := d.LeftOut(); (left != nil) != strings.Contains(name, "shared memory") || left != nil && left.Reason != Opaque {
			t.Errorf("%s: left out %v", name, left)
		}
	}
}

func TestPredict(t *testing.T) {
	d := newDecoders(t, map[string]Model{"loans": {Inputs: Side{Columns: map[string][]signal.FeatureName{"table": {"income", "age"}}}}})
	two := `"tensorShape":{"dim":[{"size":2}]}`
	for name, c := range map[string]struct {
		inputs string
		want   map[string]any
	}{
		"float":   {`"x":{"dtype":1,` + two + `,"floatVal":[1.5,"NaN"]}`, map[string]any{"feature x": []any{1.5, nil}}},
		"double":  {`"x":{"dtype":2,` + two + `,"doubleVal":[1.5,-2]}`, map[string]any{"feature x": []any{1.5, -2.0}}},
		"int32":   {`"x":{"dtype":3,` + two + `,"intVal":[-1,2]}`, map[string]any{"feature x": []any{-1.0, 2.0}}},
		"uint8":   {`"x":{"dtype":4,` + two + `,"intVal":[255,2]}`, map[string]any{"feature x": []any{255.0, 2.0}}},
		"string":  {`"x":{"dtype":7,` + two + `,"stringVal":["YQ==","Yg=="]}`, map[string]any{"feature x": []any{"a", "b"}}},
		"int64":   {`"x":{"dtype":9,` + two + `,"int64Val":[-1,2]}`, map[string]any{"feature x": []any{-1.0, 2.0}}},
		"bool":    {`"x":{"dtype":10,` + two + `,"boolVal":[true,false]}`, map[string]any{"feature x": []any{"true", "false"}}},
		"half":    {`"x":{"dtype":19,` + two + `,"halfVal":[15360,49152]}`, map[string]any{"feature x": []any{1.0, -2.0}}},
		"brain":   {`"x":{"dtype":14,` + two + `,"halfVal":[16256,49152]}`, map[string]any{"feature x": []any{1.0, -2.0}}},
		"uint32":  {`"x":{"dtype":22,` + two + `,"uint32Val":[1,4294967295]}`, map[string]any{"feature x": []any{1.0, 4294967295.0}}},
		"uint64":  {`"x":{"dtype":23,` + two + `,"uint64Val":[1,2]}`, map[string]any{"feature x": []any{1.0, 2.0}}},
		"content": {`"table":{"dtype":1,"tensorShape":{"dim":[{"size":2},{"size":2}]},"tensorContent":"` + raw([]float32{1, 2, 3, 4}) + `"}`, map[string]any{"feature income": []any{1.0, 3.0}, "feature age": []any{2.0, 4.0}}},
		"texts":   {`"x":{"dtype":7,` + two + `,"tensorContent":"` + base64.StdEncoding.EncodeToString([]byte("\x01\x02abc")) + `"}`, map[string]any{"feature x": []any{"a", "bc"}}},
		"the last value is repeated": {
			`"x":{"dtype":1,"tensorShape":{"dim":[{"size":2},{"size":2}]},"floatVal":[1,2]},"z":{"dtype":3,` + two + `}`,
			map[string]any{"feature x.0": []any{1.0, 2.0}, "feature x.1": []any{2.0, 2.0}, "feature z": []any{0.0, 0.0}},
		},
		"a scalar is every row's": {
			`"x":{"dtype":1,` + two + `,"floatVal":[1,2]},"training":{"dtype":10,"tensorShape":{},"boolVal":[false]},"temperature":{"dtype":1,"floatVal":[0.5]}`,
			map[string]any{"feature x": []any{1.0, 2.0}, "feature training": []any{"false", "false"}, "feature temperature": []any{0.5, 0.5}},
		},
	} {
		obs, err := d.Decode(predictCall(`{"modelSpec":{"name":"loans"},"inputs":{`+c.inputs+`}}`, predictAnswer))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.want["prediction y"] = []any{1.0, 0.0}
		if got := plain(obs); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, c.want)
		}
		if obs.Rows != 2 || obs.Model != (signal.ModelRef{Name: "loans", Version: "7"}) {
			t.Errorf("%s: %+v", name, obs)
		}
	}
}

// A message of a stream and its answer are a call like another. The answer is
// wrapped, or not.
func TestMessagesOfAStream(t *testing.T) {
	d := newDecoders(t, nil)
	request := grpctest.Message("inference.ModelInferRequest", `{"modelName":"loans","inputs":[{"name":"x","datatype":"FP32","shape":[1],"contents":{"fp32Contents":[1]}}]}`)
	answer := `{"inferResponse":{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"contents":{"fp32Contents":[2]}}]}}`
	obs, err := d.Decode(callOf(grpctest.Stream, request, grpctest.Message("inference.ModelStreamInferResponse", answer)))
	if err != nil || !reflect.DeepEqual(plain(obs), map[string]any{"feature x": []any{1.0}, "prediction y": []any{2.0}}) {
		t.Errorf("%v, %v", obs, err)
	}
	obs, err = d.Decode(callOf(grpctest.Stream, request, grpctest.Message("inference.ModelInferResponse", `{"modelName":"loans","modelVersion":"7","outputs":[{"name":"y","datatype":"FP32","shape":[1],"contents":{"fp32Contents":[2]}}]}`)))
	if err != nil || obs.Model.Version != "7" || !reflect.DeepEqual(plain(obs), map[string]any{"feature x": []any{1.0}, "prediction y": []any{2.0}}) {
		t.Errorf("not wrapped: %v, %v", obs, err)
	}
	_, err = d.Decode(callOf(grpctest.Stream, request, grpctest.Message("inference.ModelStreamInferResponse", `{"errorMessage":"no"}`)))
	if f := new(Fault); !errors.As(err, &f) || f.Reason != ErrorStatus {
		t.Errorf("an error in a stream: %v", err)
	}
}

func TestVersionsOfCalls(t *testing.T) {
	d := newDecoders(t, nil)
	x := `"inputs":{"x":{"dtype":1,"tensorShape":{"dim":[{"size":2}]},"floatVal":[1,2]}}}`
	y := `"outputs":{"y":{"dtype":1,"tensorShape":{"dim":[{"size":2}]},"floatVal":[1,2]}}}`
	for want, c := range map[string]*Exchange{
		"":       predictCall(`{"modelSpec":{"name":"loans"},`+x, `{`+y),
		"7":      predictCall(`{"modelSpec":{"name":"loans","version":"7"},`+x, `{`+y),
		"stable": predictCall(`{"modelSpec":{"name":"loans","versionLabel":"stable"},`+x, `{`+y),
		"9":      predictCall(`{"modelSpec":{"name":"loans","versionLabel":"stable"},`+x, `{"modelSpec":{"version":"9"},`+y),
		"2":      inferCall(`{"modelName":"loans","modelVersion":"2","inputs":[{"name":"x","datatype":"INT8","shape":[2],"contents":{"intContents":[1,2]}}]}`, strings.Replace(inferAnswer, `"modelVersion":"3",`, "", 1)),
	} {
		obs, err := d.Decode(c)
		if err != nil || obs.Model != (signal.ModelRef{Name: "loans", Version: want}) {
			t.Errorf("%q: %v, %v", want, obs, err)
		}
	}
}

// Values say the same in fields, packed or not, and raw.
func TestContentsAreTheRawOnes(t *testing.T) {
	d := newDecoders(t, nil)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float32(), 1, 40).Draw(t, "values")
		n := len(values)
		answer := fmt.Sprintf(`{"outputs":[{"name":"y","datatype":"UINT8","shape":[%d]}],"rawOutputContents":[%q]}`, n, raw(make([]byte, n)))
		rawly := inferCall(fmt.Sprintf(`{"modelName":"m","inputs":[{"name":"x","datatype":"FP32","shape":[%d]}],"rawInputContents":[%q]}`, n, raw(values)), answer)
		var single []byte // not packed, as old writers do
		for _, v := range values {
			single = binary.LittleEndian.AppendUint32(append(single, 6<<3|5), math.Float32bits(v))
		}
		want, err := d.Decode(rawly)
		if err != nil {
			t.Fatal(err)
		}
		wanted := plain(want)
		tensor := grpctest.Bytes(grpctest.Message("inference.Tensor", fmt.Sprintf(`{"name":"x","datatype":"FP32","shape":[%d]}`, n)))
		tensor = append(binary.AppendUvarint(append(tensor, 5<<3|2), uint64(len(single))), single...)
		message := append([]byte{1<<3 | 2, 1, 'm', 5<<3 | 2}, binary.AppendUvarint(nil, uint64(len(tensor)))...)
		rawly.Request.Body = grpctest.Frame(append(message, tensor...), false)
		got, err := d.Decode(rawly)
		if err != nil || !reflect.DeepEqual(plain(got), wanted) {
			t.Fatalf("%v, %v, want %v", got, err, wanted)
		}
	})
}

func TestCompressedMessages(t *testing.T) {
	d := newDecoders(t, nil)
	x := inferCall(`{"modelName":"loans","inputs":[{"name":"x","datatype":"FP32","shape":[2],"contents":{"fp32Contents":[1,2]}}]}`, inferAnswer)
	plainly, err := d.Decode(x)
	if err != nil {
		t.Fatal(err)
	}
	want := plain(plainly)
	for _, encoding := range []string{"gzip", "deflate"} {
		y := *x
		for _, m := range []*Message{&y.Request, &y.Response} {
			*m = Message{Body: grpctest.Frame(compress(t, encoding, string(m.Body[5:])), true), ContentEncoding: encoding}
		}
		obs, err := d.Decode(&y)
		if err != nil || !reflect.DeepEqual(plain(obs), want) {
			t.Errorf("%s: %v, %v", encoding, obs, err)
		}
		if model, ok := d.ModelOf(y.Path, encoding, y.Request.Body); encoding == "gzip" && (!ok || model != "loans") {
			t.Errorf("%s: of model %q, %v", encoding, model, ok)
		}
	}
}

func TestCallFaults(t *testing.T) {
	const secret = "99887766"
	good := func() *Exchange {
		return inferCall(`{"modelName":"loans","inputs":[{"name":"x","datatype":"FP32","shape":[2],"contents":{"fp32Contents":[1,2]}}]}`, inferAnswer)
	}
	with := func(change func(*Exchange)) *Exchange { x := good(); change(x); return x }
	infer := func(inputs string) *Exchange { return inferCall(`{"modelName":"loans",`+inputs+`}`, inferAnswer) }
	predict := func(inputs string) *Exchange {
		return predictCall(`{"modelSpec":{"name":"loans"},"inputs":{`+inputs+`}}`, predictAnswer)
	}
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	for name, c := range map[string]struct {
		x    *Exchange
		want Reason
	}{
		"status":       {with(func(x *Exchange) { x.Status = 503 }), ErrorStatus},
		"empty":        {with(func(x *Exchange) { x.Request.Body = nil }), BadProtobuf},
		"two messages": {with(func(x *Exchange) { x.Response.Body = append(x.Response.Body, x.Response.Body...) }), BadProtobuf},
		"cut":          {with(func(x *Exchange) { x.Request.Body = x.Request.Body[:20] }), BadProtobuf},
		"no fields":    {with(func(x *Exchange) { x.Request.Body = grpctest.Frame([]byte(secret), false) }), BadProtobuf},
		"no encoding":  {with(func(x *Exchange) { x.Request.Body[0] = 1 }), UnsupportedEncoding},
		"snappy":       {with(func(x *Exchange) { x.Request.Body[0] = 1; x.Request.ContentEncoding = "snappy" }), UnsupportedEncoding},
		"no gzip":      {with(func(x *Exchange) { x.Request.Body[0] = 1; x.Request.ContentEncoding = "gzip" }), BadProtobuf},
		"bomb": {with(func(x *Exchange) {
			x.Request = Message{Body: grpctest.Frame(bomb.Bytes(), true), ContentEncoding: "gzip"}
		}), InflatedTooLarge},
		"other model":         {inferCall(`{"modelName":"other","inputs":[{"name":"x","datatype":"FP32","shape":[2],"contents":{"fp32Contents":[1,2]}}]}`, inferAnswer), NotInference},
		"no inputs":           {infer(`"id":"1"`), NotInference},
		"datatype":            {infer(`"inputs":[{"name":"x","datatype":"COMPLEX","shape":[2]}]`), UnsupportedDatatype},
		"too few":             {infer(`"inputs":[{"name":"x","datatype":"FP32","shape":[3],"contents":{"fp32Contents":[1,` + secret + `]}}]`), ShapeMismatch},
		"negative":            {infer(`"inputs":[{"name":"x","datatype":"FP32","shape":[-1],"contents":{"fp32Contents":[1]}}]`), ShapeMismatch},
		"huge":                {infer(`"inputs":[{"name":"x","datatype":"FP32","shape":[2,2000000000,2000000000,2000000000],"contents":{"fp32Contents":[1]}}]`), ShapeMismatch},
		"rows":                {infer(`"inputs":[{"name":"x","datatype":"FP32","shape":[1],"contents":{"fp32Contents":[1]}}]`), RowsMismatch},
		"values of another":   {infer(`"inputs":[{"name":"x","datatype":"FP32","shape":[2],"contents":{"fp64Contents":[1,2]}}]`), ShapeMismatch},
		"half in fields":      {infer(`"inputs":[{"name":"x","datatype":"FP16","shape":[2],"contents":{"intContents":[1,2]}}]`), ShapeMismatch},
		"too many raw":        {infer(`"inputs":[{"name":"x","datatype":"INT8","shape":[2]}],"rawInputContents":["AAA=","AAA="]`), Binary},
		"too few raw":         {infer(`"inputs":[{"name":"x","datatype":"INT8","shape":[2]},{"name":"z","datatype":"INT8","shape":[2]}],"rawInputContents":["AAA="]`), Binary},
		"odd raw":             {infer(`"inputs":[{"name":"x","datatype":"FP32","shape":[2]}],"rawInputContents":["AAA="]`), Binary},
		"dtype":               {predict(`"x":{"dtype":8,"tensorShape":{"dim":[{"size":2}]}}`), UnsupportedDatatype},
		"rank":                {predict(`"x":{"dtype":1,"tensorShape":{"unknownRank":true},"floatVal":[1]}`), ShapeMismatch},
		"too many values":     {predict(`"x":{"dtype":1,"tensorShape":{"dim":[{"size":1}]},"floatVal":[1,2]}`), ShapeMismatch},
		"one for many":        {predict(`"x":{"dtype":1,"tensorShape":{"dim":[{"size":2000000000}]},"floatVal":[1]}`), ShapeMismatch},
		"one for more":        {predict(`"x":{"dtype":1,"tensorShape":{"dim":[{"size":2000000000},{"size":2000000000}]},"floatVal":[1]}`), ShapeMismatch},
		"content":             {predict(`"x":{"dtype":1,"tensorShape":{"dim":[{"size":2}]},"tensorContent":"AAAA"}`), Binary},
		"texts that end":      {predict(`"x":{"dtype":7,"tensorShape":{"dim":[{"size":2}]},"tensorContent":"BQVh"}`), Binary},
		"more texts than fit": {predict(`"x":{"dtype":7,"tensorShape":{"dim":[{"size":2000000000}]},"tensorContent":"BQVh"}`), ShapeMismatch},
	} {
		d := newDecoders(t, map[string]Model{"loans": {}})
		_, err := d.Decode(c.x)
		var f *Fault
		if !errors.As(err, &f) || f.Reason != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
			continue
		}
		if strings.Contains(f.Error(), secret) {
			t.Errorf("%s: the fault tells a value: %v", name, f)
		}
		if obs, err := d.Decode(good()); err != nil || obs.Rows != 2 {
			t.Errorf("%s: the decoder does not recover: %v", name, err)
		}
	}
}

func TestCallsAreWantedByContentTypeAndPath(t *testing.T) {
	d := newDecoders(t, map[string]Model{"loans": {}, "cards": {Protocol: TFServingGRPC}, "own": {Protocol: OpenInferenceGRPC, Path: "/own.Service/Ask"}})
	for target, want := range map[string]string{
		"application/grpc " + grpctest.Infer:                          "",
		"application/grpc+proto " + grpctest.Predict:                  "",
		"application/grpc /own.Service/Ask":                           "own",
		"application/json " + grpctest.Infer:                          "no",
		"application/json /own.Service/Ask":                           "no",
		"application/grpc+json " + grpctest.Infer:                     "no",
		"application/grpc-web+proto " + grpctest.Infer:                "no",
		"application/grpc /inference.GRPCInferenceService/ModelReady": "no",
		"application/grpc /v2/models/loans/infer":                     "no",
	} {
		kind, path, _ := strings.Cut(target, " ")
		r, err := http.NewRequest(http.MethodPost, "http://model"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		if model, ok := d.Wants(r); ok != (want != "no") || ok && model != want {
			t.Errorf("%s: %q, %v", target, model, ok)
		}
	}
	asked := func(method string, m proto.Message) []byte { return grpctest.Frame(grpctest.Bytes(m), false) }
	for name, c := range map[string]struct {
		path string
		body []byte
		want string
	}{
		"infer":        {grpctest.Infer, asked("", grpctest.Message("inference.ModelInferRequest", `{"modelName":"loans"}`)), "loans"},
		"predict":      {grpctest.Predict, asked("", grpctest.Message("tensorflow.PredictRequest", `{"modelSpec":{"name":"cards"}}`)), "cards"},
		"cut":          {grpctest.Infer, asked("", grpctest.Message("inference.ModelInferRequest", `{"modelName":"loans","id":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}`))[:20], "loans"},
		"not its kind": {grpctest.Infer, asked("", grpctest.Message("inference.ModelInferRequest", `{"modelName":"cards"}`)), ""},
		"other":        {grpctest.Infer, asked("", grpctest.Message("inference.ModelInferRequest", `{"modelName":"other"}`)), ""},
		"nothing":      {grpctest.Infer, nil, "loans"}, // the only one that it can mean
		"its own path": {"/own.Service/Ask", nil, "own"},
	} {
		if model, ok := d.ModelOf(c.path, "", c.body); model != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", name, model, ok)
		}
	}
}
