package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

const wideRows, wideColumns = 100, 100

// wideValues are the cells of a table of about 100 KB of text.
func wideValues() [][]string {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]string, wideRows)
	for i := range out {
		for range wideColumns {
			out[i] = append(out[i], strconv.FormatFloat(r.NormFloat64()*100, 'f', 6, 64))
		}
	}
	return out
}

func wideLists() string {
	rows := make([]string, wideRows)
	for i, row := range wideValues() {
		rows[i] = "[" + strings.Join(row, ",") + "]"
	}
	return `{"instances":[` + strings.Join(rows, ",") + `]}`
}

// wideRecords has ten features to the row, under names of usual length, of
// which two are texts.
func wideRecords() string {
	var b strings.Builder
	b.WriteString(`{"dataframe_records":[`)
	n := 0
	for i, row := range wideValues() {
		for j := 0; j+10 <= len(row); j += 10 {
			if n > 0 {
				b.WriteByte(',')
			}
			n++
			fmt.Fprintf(&b, `{"income":%s,"age":%d,"debt_ratio":%s,"purpose":"home","months":%d,"city":"Ulm","open_loans":%s,"limit":%s,"used":%s,"member":%v}`,
				row[j], i, row[j+1], j, row[j+2], row[j+3], row[j+4], j%20 == 0)
		}
	}
	b.WriteString(`]}`)
	return b.String()
}

func wideCSV() string {
	rows := make([]string, wideRows)
	for i, row := range wideValues() {
		rows[i] = strings.Join(row, ",")
	}
	return strings.Join(rows, "\n")
}

func wideBinary() (body []byte, length string) {
	head := fmt.Sprintf(`{"inputs":[{"name":"x","shape":[100,250],"datatype":"FP32","parameters":{"binary_data_size":%d}}]}`, 100*250*4)
	body = []byte(head)
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 * 250 {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(float32(r.NormFloat64())))
	}
	return body, strconv.Itoa(len(head))
}

func predictions(n int) string {
	return `{"predictions":[` + strings.Repeat("1,", n-1) + `0]}`
}

// benchmarked are exchanges of about 100 KB and a small one, by name, each with
// the usual way to do the same: bytes to columns.
func benchmarked() map[string]struct {
	x      *Exchange
	theirs func(body []byte) error
} {
	tensor, length := wideBinary()
	binaryTensors := exchangeAt("/v2/models/loans/infer", string(tensor), `{"outputs":[{"name":"y","shape":[100],"datatype":"INT64","data":[`+strings.Repeat("1,", 99)+`0]}]}`)
	binaryTensors.Request.JSONLength = length
	return map[string]struct {
		x      *Exchange
		theirs func(body []byte) error
	}{
		"lists":   {exchangeAt("/v1/models/loans:predict", wideLists(), predictions(wideRows)), jsonLists},
		"records": {exchangeAt("/invocations", wideRecords(), predictions(wideRows*10)), jsonRecords},
		"small":   {exchangeAt("/invocations", `{"dataframe_records":[{"income":41200.5,"age":44,"debt_ratio":0.25,"purpose":"home","months":36,"city":"Ulm","open_loans":2,"limit":5000,"used":1250.75,"member":true}]}`, predictions(1)), jsonRecords},
		"csv":     {exchangeAt("/invocations", wideCSV(), predictions(wideRows)), csvColumns},
		"binary":  {binaryTensors, rawColumns},
	}
}

func exchangeAt(path, request, response string) *Exchange {
	x := exchange(request, response)
	x.Path = path
	return x
}

// kept holds what the reference decoders made, so that none of it is left out.
var kept map[string][]float64

func jsonLists(body []byte) error {
	var request struct{ Instances [][]float64 }
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	kept = turn(request.Instances)
	return nil
}

func turn(rows [][]float64) map[string][]float64 {
	out := map[string][]float64{}
	for j := range rows[0] {
		column := make([]float64, len(rows))
		for i := range rows {
			column[i] = rows[i][j]
		}
		out["input."+strconv.Itoa(j)] = column
	}
	return out
}

// keptTexts is kept for texts.
var keptTexts map[string][]string

func jsonRecords(body []byte) error {
	var request struct {
		Records []map[string]any `json:"dataframe_records"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return err
	}
	kept, keptTexts = map[string][]float64{}, map[string][]string{}
	for _, row := range request.Records {
		for name, v := range row {
			switch v := v.(type) {
			case float64:
				kept[name] = append(kept[name], v)
			case string:
				keptTexts[name] = append(keptTexts[name], v)
			case bool:
				keptTexts[name] = append(keptTexts[name], strconv.FormatBool(v))
			}
		}
	}
	return nil
}

func csvColumns(body []byte) error {
	records, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil {
		return err
	}
	rows := make([][]float64, len(records))
	for i, record := range records {
		rows[i] = make([]float64, len(record))
		for j, field := range record {
			if rows[i][j], err = strconv.ParseFloat(field, 64); err != nil {
				return err
			}
		}
	}
	kept = turn(rows)
	return nil
}

func rawColumns(body []byte) error {
	head := len(body) - 100*250*4
	var request struct {
		Inputs []struct{ Shape []int }
	}
	if err := json.Unmarshal(body[:head], &request); err != nil {
		return err
	}
	values := make([]float32, 100*250)
	if err := binary.Read(bytes.NewReader(body[head:]), binary.LittleEndian, values); err != nil {
		return err
	}
	rows := make([][]float64, 100)
	for i := range rows {
		for _, v := range values[i*250 : (i+1)*250] {
			rows[i] = append(rows[i], float64(v))
		}
	}
	kept = turn(rows)
	return nil
}

func loansDecoders(t testing.TB) *Decoders {
	t.Helper()
	d, err := NewDecoders(Options{Models: map[string]Model{"loans": {}}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// BenchmarkProtocols decodes those exchanges. ratio is how many times
// longer the usual way to the same columns takes for the request alone, in the
// same run, both at their fastest.
func BenchmarkProtocols(b *testing.B) {
	for name, c := range benchmarked() {
		b.Run(name, func(b *testing.B) {
			d := loansDecoders(b)
			if _, err := d.Decode(c.x); err != nil { // sizes the memory
				b.Fatal(err)
			}
			ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
			b.SetBytes(int64(len(c.x.Request.Body)))
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				if _, err := d.Decode(c.x); err != nil {
					b.Fatal(err)
				}
				ours = min(ours, time.Since(start))
				b.StopTimer()
				start = time.Now()
				if err := c.theirs(c.x.Request.Body); err != nil {
					b.Fatal(err)
				}
				theirs = min(theirs, time.Since(start))
				b.StartTimer()
			}
			b.ReportMetric(float64(theirs)/float64(ours), "ratio")
			b.ReportMetric(float64(len(c.x.Request.Body))/ours.Seconds()/1e6, "best-MB/s")
		})
	}
}

func TestProtocolsAllocateNothing(t *testing.T) {
	exchanges := map[string]*Exchange{
		"row":     exchangeAt("/v1/models/loans:predict", `{"instances":[{"income":1.5,"purpose":"home","last":[1,2],"at":{"city":"U\u006cm"},"member":true}]}`, `{"predictions":[{"label":"yes"}]}`),
		"mixed":   exchangeAt("/invocations", "1.50,a\nb,c\n", "x\ny\n"),
		"seldon":  exchangeAt("/api/v1.0/predictions", `{"data":{"names":["a","b"],"ndarray":[[1,2]]}}`, `{"data":{"names":["p"],"tensor":{"shape":[1,1],"values":[0.5]}}}`),
		"named":   exchangeAt("/invocations", "income,age\n1,2\n", `{"predictions":[1]}`),
		"columns": exchangeAt("/invocations", `{"inputs":{"x":[[1,2],[3,4]],"y":["a",null],"z":5}}`, `{"predictions":{"p":[1,2]}}`),
		"lines":   exchangeAt("/invocations", "[1,2]\n[3,4]\n", "{\"p\":1}\n{\"p\":2}\n"),
	}
	for name, c := range benchmarked() {
		exchanges[name] = c.x
	}
	for name, x := range exchanges {
		d := loansDecoders(t)
		decode := func() {
			if _, err := d.Decode(x); err != nil {
				t.Fatal(name, err)
			}
		}
		decode()
		if n := testing.AllocsPerRun(20, decode); n > 0 {
			t.Errorf("%s: %v allocations for each exchange, want none", name, n)
		}
	}
}
