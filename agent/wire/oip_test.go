package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/signal"
)

var answered = time.Unix(1700000000, 0)

func exchange(request, response string) *Exchange {
	return &Exchange{
		Path: "/v2/models/loans/infer", Status: 200, End: answered,
		Request: Message{Body: []byte(request)}, Response: Message{Body: []byte(response)},
	}
}

const okAnswer = `{"model_name":"loans","model_version":"3","id":"a","outputs":[{"name":"approved","shape":[2],"datatype":"INT64","data":[1,0]}]}`

// plain copies an observation so that it can be compared: NaN as nil.
func plain(o *signal.Observation) map[string]any {
	out := map[string]any{}
	for _, c := range o.Columns {
		values := make([]any, 0, o.Rows)
		for _, x := range c.Numbers {
			if math.IsNaN(x) {
				values = append(values, nil)
			} else {
				values = append(values, x)
			}
		}
		for i, s := range c.Strings {
			if c.Missing != nil && c.Missing[i] {
				values = append(values, nil)
			} else {
				values = append(values, strings.Clone(s))
			}
		}
		out[string(c.Target)+" "+string(c.Name)] = values
	}
	return out
}

func TestDecode(t *testing.T) {
	d := NewOIP(OIPOptions{Models: map[string]OIPModel{"loans": {Columns: map[string][]signal.FeatureName{
		"table": {"income", "age"}, "solo": {"renamed"},
	}}}})
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		inputs string
		want   map[string]any
	}{
		"flat":           {`{"name":"x","shape":[2],"datatype":"FP64","data":[1.5,-2]}`, map[string]any{"feature x": []any{1.5, -2.0}}},
		"n by one":       {`{"name":"x","shape":[2,1],"datatype":"FP32","data":[[1],[2]]}`, map[string]any{"feature x": []any{1.0, 2.0}}},
		"mapped":         {`{"name":"table","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}`, map[string]any{"feature income": []any{1.0, 3.0}, "feature age": []any{2.0, 4.0}}},
		"mapped one":     {`{"name":"solo","shape":[2,1],"datatype":"FP32","data":[1,2]}`, map[string]any{"feature renamed": []any{1.0, 2.0}}},
		"unmapped":       {`{"name":"m","shape":[2,2],"datatype":"INT8","data":[[1,2],[3,4]]}`, map[string]any{"feature m.0": []any{1.0, 3.0}, "feature m.1": []any{2.0, 4.0}}},
		"three axes":     {`{"name":"m","shape":[2,1,2],"datatype":"INT8","data":[[[1,2]],[[3,4]]]}`, map[string]any{"feature m.0": []any{1.0, 3.0}, "feature m.1": []any{2.0, 4.0}}},
		"data first":     {`{"data":[1,2],"shape":[2],"name":"x","datatype":"UINT64"}`, map[string]any{"feature x": []any{1.0, 2.0}}},
		"undefined":      {`{"name":"x","shape":[2],"datatype":"FP32","data":[NaN,-Infinity]}`, map[string]any{"feature x": []any{nil, nil}}},
		"null, overflow": {`{"name":"x","shape":[2],"datatype":"FP64","data":[null,1e999]}`, map[string]any{"feature x": []any{nil, inf}}},
		"odd numbers":    {`{"name":"x","shape":[2],"datatype":"FP32","data":[NaN,"7.5"]}`, map[string]any{"feature x": []any{nil, 7.5}}},
		"invalid text":   {`{"name":"x","shape":[2],"datatype":"FP32","data":[true,"word"]}`, map[string]any{"feature x": []any{1.0, inf}}},
		"strings":        {`{"name":"x","shape":[2],"datatype":"BYTES","data":["a\u00e9\n",null]}`, map[string]any{"feature x": []any{"aé\n", nil}}},
		"mixed bytes":    {`{"name":"x","shape":[2,2],"datatype":"BYTES","data":[["a",1.50],[true,NaN]]}`, map[string]any{"feature x.0": []any{"a", "true"}, "feature x.1": []any{"1.50", nil}}},
		"booleans":       {`{"name":"x","shape":[2],"datatype":"BOOL","data":[true,0]}`, map[string]any{"feature x": []any{"true", "false"}}},
		"escaped keys":   {`{"n\u0061me":"x","shape":[2],"datatype":"FP32","parameters":{"a":[{}]},"data":[1,2]}`, map[string]any{"feature x": []any{1.0, 2.0}}},
		"several":        {`{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]},{"name":"y","shape":[2],"datatype":"BYTES","data":["p","q"]}`, map[string]any{"feature x": []any{1.0, 2.0}, "feature y": []any{"p", "q"}}},
		"too wide a one": {`{"name":"image","shape":[2,2000],"datatype":"UINT8","data":[` + strings.Repeat("0,", 3999) + `0]}`, map[string]any{}},
	} {
		obs, err := d.Decode(exchange(`{"id":"q","inputs":[`+c.inputs+`],"outputs":[{"name":"approved"}]}`, okAnswer))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.want["prediction approved"] = []any{1.0, 0.0}
		if got := plain(obs); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n%v\nwant\n%v", name, got, c.want)
		}
		if obs.Rows != 2 || obs.Time != answered || obs.Model != (signal.ModelRef{Name: "loans", Version: "3"}) {
			t.Errorf("%s: %+v", name, obs)
		}
	}
}

// What is not profiled of a request is told, until the next one.
func TestATensorThatIsTooWideIsTold(t *testing.T) {
	d := NewOIP(OIPOptions{})
	wide := `{"name":"image","shape":[1,1025],"datatype":"UINT8","data":[` + strings.Repeat("4711,", 1024) + `0]}`
	narrow := `{"name":"image","shape":[1,1024],"datatype":"UINT8","data":[` + strings.Repeat("4711,", 1023) + `0]}`
	for _, test := range []struct {
		inputs string
		told   bool
	}{{wide, true}, {narrow, false}, {wide + "," + narrow, true}} {
		answer := `{"outputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[1]}]}`
		if _, err := d.Decode(exchange(`{"inputs":[`+test.inputs+`]}`, answer)); err != nil {
			t.Fatal(err)
		}
		f := d.LeftOut()
		if (f != nil) != test.told {
			t.Errorf("%.60s: %v", test.inputs, f)
		}
		if f != nil && (f.Reason != TooWide || !strings.Contains(f.Outline, "1025") || strings.Contains(f.Outline, "4711")) {
			t.Errorf("got %v", f)
		}
	}
}

func TestVersion(t *testing.T) {
	d := NewOIP(OIPOptions{})
	request := `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}`
	for answer, want := range map[string]string{`"model_version":"9",`: "9", `"model_version":4,`: "4", `"model_version":null,`: "2", ``: "2"} {
		x := exchange(request, `{`+answer+`"outputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[1]}]}`)
		x.Path = "/v2/models/any/versions/2/infer"
		obs, err := d.Decode(x)
		if err != nil || obs.Model != (signal.ModelRef{Name: "any", Version: want}) {
			t.Errorf("%s: %+v, %v", answer, obs, err)
		}
	}
}

func compress(t *testing.T, encoding, text string) []byte {
	t.Helper()
	return compressFor(t, encoding, text)
}

func compressFor(t testing.TB, encoding, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const okRequest = `{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]}`

func TestCompressedBodies(t *testing.T) {
	d := NewOIP(OIPOptions{})
	for range 2 { // the readers are reused
		for _, encoding := range []string{"gzip", "deflate", "zstd", "br", "identity"} {
			x := exchange(okRequest, okAnswer)
			x.Request.ContentEncoding, x.Response.ContentEncoding = encoding, encoding
			if encoding != "identity" {
				x.Request.Body, x.Response.Body = compress(t, encoding, okRequest), compress(t, encoding, okAnswer)
			}
			obs, err := d.Decode(x)
			if err != nil {
				t.Fatalf("%s: %v", encoding, err)
			}
			want := map[string]any{"feature x": []any{1.0, 2.0}, "prediction approved": []any{1.0, 0.0}}
			if got := plain(obs); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v", encoding, got)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	const secret = "99887766"
	one := func(tensor string) *Exchange { return exchange(`{"inputs":[`+tensor+`]}`, okAnswer) }
	with := func(x *Exchange, change func(*Exchange)) *Exchange { change(x); return x }
	gz, br, zs := compress(t, "gzip", okRequest), compress(t, "br", okRequest), compress(t, "zstd", okRequest)
	large := func(encoding string) *Exchange {
		x := exchange(okRequest, okAnswer)
		x.Request = Message{Body: compress(t, encoding, strings.Repeat(" ", 1<<20)), ContentEncoding: encoding}
		return x
	}
	for name, c := range map[string]struct {
		x    *Exchange
		want Reason
	}{
		"no path":        {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Path = "/v2/health/live" }), NotInference},
		"other model":    {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Path = "/v2/models/other/infer" }), NotInference},
		"no inputs":      {exchange(`{"inputs":[]}`, okAnswer), NotInference},
		"no outputs":     {exchange(okRequest, `{"error":"`+secret+`"}`), NotInference},
		"status":         {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Status = 503 }), ErrorStatus},
		"empty":          {exchange("", okAnswer), BadJSON},
		"not json":       {exchange("income="+secret, okAnswer), BadJSON},
		"cut":            {exchange(okRequest[:40]+secret, okAnswer), BadJSON},
		"trailing":       {exchange(okRequest+secret, okAnswer), BadJSON},
		"bad answer":     {exchange(okRequest, `{"outputs":`+secret+`}`), BadJSON},
		"broken behind":  {one(`{"name":"x","shape":[5],"datatype":"FP32","data":[` + secret + `]},{`), BadJSON},
		"too few":        {one(`{"name":"x","shape":[3],"datatype":"FP32","data":[1,` + secret + `]}`), ShapeMismatch},
		"too many":       {one(`{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2,3,4,` + secret + `]}`), ShapeMismatch},
		"no shape":       {one(`{"name":"x","datatype":"FP32","data":[1]}`), ShapeMismatch},
		"negative shape": {one(`{"name":"x","shape":[-1],"datatype":"FP32","data":[1]}`), ShapeMismatch},
		"huge shape":     {one(`{"name":"x","shape":[1,2000000000,2000000000,2000000000,2000000000],"datatype":"FP32","data":[1]}`), ShapeMismatch},
		"no data":        {one(`{"name":"x","shape":[2],"datatype":"FP32"}`), ShapeMismatch},
		"columns":        {one(`{"name":"table","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}`), ShapeMismatch},
		"rows":           {one(`{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]},{"name":"y","shape":[1],"datatype":"FP32","data":[1]}`), RowsMismatch},
		"rows of answer": {one(`{"name":"x","shape":[1],"datatype":"FP32","data":[1]}`), RowsMismatch},
		"datatype":       {one(`{"name":"x","shape":[1],"datatype":"COMPLEX","data":[` + secret + `]}`), UnsupportedDatatype},
		"no datatype":    {one(`{"name":"x","shape":[1],"data":["` + secret + `"]}`), UnsupportedDatatype},
		"binary":         {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Response.JSONLength = "999" }), Binary},
		"encoding":       {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request.ContentEncoding = "compress" }), UnsupportedEncoding},
		"not gzip":       {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request.ContentEncoding = "gzip" }), BadJSON},
		"cut gzip":       {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request = Message{Body: gz[:len(gz)-9], ContentEncoding: "gzip"} }), Truncated},
		"inflated": {with(exchange(okRequest, okAnswer), func(x *Exchange) {
			x.Request = Message{Body: compress(t, "gzip", strings.Repeat(" ", 1<<20)), ContentEncoding: "gzip"}
		}), InflatedTooLarge},
		"cut br":       {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request = Message{Body: br[:len(br)-3], ContentEncoding: "br"} }), Truncated},
		"cut zstd":     {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request = Message{Body: zs[:len(zs)-3], ContentEncoding: "zstd"} }), Truncated},
		"not br":       {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request.ContentEncoding = "br" }), BadJSON},
		"not zstd":     {with(exchange(okRequest, okAnswer), func(x *Exchange) { x.Request.ContentEncoding = "zstd" }), BadJSON},
		"inflated br":  {large("br"), InflatedTooLarge},
		"inflated zst": {large("zstd"), InflatedTooLarge},
		"zstd window": {with(exchange(okRequest, okAnswer), func(x *Exchange) {
			x.Request = Message{Body: []byte("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"), ContentEncoding: "zstd"} // a window of 2 GiB
		}), InflatedTooLarge},
		"deep":            {one(`{"name":"x","shape":[1],"datatype":"FP32","data":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`), BadJSON},
		"deep parameters": {exchange(`{"parameters":`+strings.Repeat("[", 100000)+`}`, okAnswer), BadJSON},
	} {
		d := NewOIP(OIPOptions{
			Models:      map[string]OIPModel{"loans": {Columns: map[string][]signal.FeatureName{"table": {"a", "b"}}}},
			MaxInflated: 1 << 16,
		})
		_, err := d.Decode(c.x)
		var f *Fault
		if !errors.As(err, &f) || f.Reason != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
			continue
		}
		if strings.Contains(f.Error(), secret) {
			t.Errorf("%s: the fault tells a value: %v", name, f)
		}
		if obs, err := d.Decode(exchange(okRequest, okAnswer)); err != nil || obs.Rows != 2 {
			t.Errorf("%s: the decoder does not recover: %v", name, err)
		}
	}
}

func TestWants(t *testing.T) {
	d := NewOIP(OIPOptions{Models: map[string]OIPModel{"loans": {}}})
	for target, want := range map[string]bool{
		"POST /v2/models/loans/infer":               true,
		"POST /v2/models/loans/versions/7/infer":    true,
		"POST /v2/models/lo%61ns/infer?x=1":         true,
		"POST /v2/models/other/infer":               false,
		"POST /v2/models/loans/versions//infer":     false,
		"POST /v2/models/loans/versions/7/x/infer":  false,
		"POST /v2/models/loans/ready":               false,
		"POST /v2/models/loans":                     false,
		"POST /v2/models//infer":                    false,
		"GET /v2/models/loans/infer":                false,
		"POST /x/v2/models/loans/infer":             false,
		"POST /v2/models/a/loans/infer":             false,
		"POST /v2/models/loans/infer/":              false,
		"POST /v2/models/infer":                     false,
		"POST /v2/models/loans/versions/infer":      false,
		"POST /v2/repository/models/loans/load":     false,
		"POST /v2/models/loans/versions/7/generate": false,
	} {
		method, path, _ := strings.Cut(target, " ")
		r, err := http.NewRequest(method, "http://model"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if model, ok := d.Wants(r); ok != want || ok && model != "loans" {
			t.Errorf("%s: %q, %v", target, model, ok)
		}
	}
}

// FuzzDecode checks that no payload breaks the decoder or makes columns of
// uneven length.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(okRequest), []byte(okAnswer))
	f.Add([]byte(`{"inputs":[{"name":"m","shape":[2,2],"datatype":"BYTES","data":[["a",1],[null,NaN]]}]}`), []byte(okAnswer))
	f.Add([]byte(`{"inputs":[{"name":"x","shape":[0,3],"datatype":"BOOL","data":[]}]}`), []byte(`{"outputs":[{"shape":[0],"datatype":"FP32","data":[]}]}`))
	d := NewOIP(OIPOptions{})
	f.Fuzz(func(t *testing.T, request, response []byte) {
		x := exchange("", "")
		x.Request.Body, x.Response.Body = request, response
		obs, err := d.Decode(x)
		if err != nil {
			if f := new(Fault); !errors.As(err, &f) {
				t.Fatalf("%v is no fault", err)
			}
			return
		}
		for _, c := range obs.Columns {
			if n := len(c.Numbers) + len(c.Strings); n != obs.Rows || c.Missing != nil && len(c.Missing) != obs.Rows {
				t.Fatalf("column %q has %d values and %d marks in %d rows", c.Name, n, len(c.Missing), obs.Rows)
			}
		}
	})
}

func TestNamesDoNotAliasTheBody(t *testing.T) {
	d := NewOIP(OIPOptions{})
	x := exchange(okRequest, okAnswer)
	obs, err := d.Decode(x)
	if err != nil {
		t.Fatal(err)
	}
	clear(x.Request.Body)
	clear(x.Response.Body)
	if got := fmt.Sprintf("%s %s %s", obs.Model, obs.Columns[0].Name, obs.Columns[1].Name); got != "loans@3 x approved" {
		t.Errorf("%q", got)
	}
}
