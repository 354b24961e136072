package wire

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

// wideRequest is an FP32 tensor of about 100 KB.
func wideRequest() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString(`{"inputs":[{"name":"x","shape":[100,100],"datatype":"FP32","data":[`)
	for i := range 10000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatFloat(r.NormFloat64()*100, 'f', 6, 64))
	}
	b.WriteString(`]}]}`)
	return []byte(b.String())
}

func wideExchange() *Exchange {
	x := exchange("", `{"model_version":"1","outputs":[{"name":"y","shape":[100],"datatype":"INT64","data":[`+strings.Repeat("1,", 99)+`0]}]}`)
	x.Request.Body = wideRequest()
	return x
}

// BenchmarkDecode reads a tensor of 100 by 100. ratio is how many times longer
// encoding/json takes for the request alone, in the same run, both at their
// fastest.
func BenchmarkDecode(b *testing.B) {
	x := wideExchange()
	d := NewOIP(OIPOptions{})
	ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	b.SetBytes(int64(len(x.Request.Body)))
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if _, err := d.Decode(x); err != nil {
			b.Fatal(err)
		}
		ours = min(ours, time.Since(start))
		b.StopTimer()
		theirs = min(theirs, timeEncodingJSON(b, x.Request.Body))
		b.StartTimer()
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
	b.ReportMetric(float64(len(x.Request.Body))/ours.Seconds()/1e6, "best-MB/s")
}

func timeEncodingJSON(b *testing.B, body []byte) time.Duration {
	var request struct {
		Inputs []struct {
			Name     string
			Shape    []int
			Datatype string
			Data     []float64
		}
	}
	start := time.Now()
	if err := json.Unmarshal(body, &request); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkDecodeSmall is one applicant in five tensors.
func BenchmarkDecodeSmall(b *testing.B) {
	x := smallExchange()
	d := NewOIP(OIPOptions{})
	b.SetBytes(int64(len(x.Request.Body) + len(x.Response.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(x); err != nil {
			b.Fatal(err)
		}
	}
}

func smallExchange() *Exchange {
	return exchange(`{"id":"1","inputs":[{"name":"income","shape":[1],"datatype":"FP64","data":[41234.5]},`+
		`{"name":"age","shape":[1],"datatype":"INT64","data":[44]},{"name":"purpose","shape":[1],"datatype":"BYTES","data":["home"]},`+
		`{"name":"gender","shape":[1],"datatype":"BYTES","data":["f\u00e9male"]},{"name":"debt","shape":[1,1],"datatype":"FP64","data":[[0.25]]}]}`,
		`{"model_name":"loans","model_version":"1","outputs":[{"name":"approved","shape":[1],"datatype":"INT64","data":[1]}]}`)
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := NewOIP(OIPOptions{})
	for name, x := range map[string]*Exchange{"small": smallExchange(), "wide": wideExchange()} {
		decode := func() {
			if _, err := d.Decode(x); err != nil {
				t.Fatal(err)
			}
		}
		decode()
		if n := testing.AllocsPerRun(20, decode); n > 0 {
			t.Errorf("%s: %v allocations for each exchange, want none", name, n)
		}
	}
}
