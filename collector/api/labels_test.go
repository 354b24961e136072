package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// taker remembers what it is given; ingest's own tests take labels into a real
// spool.
type taker struct {
	taken   []signal.Label
	calls   int
	refused int
	senders []string
	err     error // of the second call on
}

func (k *taker) TakeLabels(_ context.Context, labels []signal.Label, sender string) error {
	if k.calls++; k.err != nil && k.calls > 1 {
		return k.err
	}
	k.taken, k.senders = append(k.taken, labels...), append(k.senders, sender)
	return nil
}

func (k *taker) RefusedLabels(n int) { k.refused += n }

// newTaker is a site of which only the labels are asked.
func newTaker(t *testing.T, maxLabels int64) (*site, *taker) {
	k := &taker{}
	s := &site{Server: httptest.NewServer(api.New(api.Options{Labels: k, MaxLabels: maxLabels, Clock: func() time.Time { return now }})), t: t}
	t.Cleanup(s.Close)
	return s, k
}

// answer is what is said about labels.
type answer struct {
	Accepted, Refused int
	Errors            []struct{ At, Message, Hint string }
	Error             struct{ Kind, Message, Hint string }
}

func (s *site) postLabels(body, media string, headers ...string) (int, answer) {
	s.t.Helper()
	status, raw, _ := s.do("POST", "/api/v1/labels?system=loans", body, append(headers, "Content-Type", media)...)
	var a answer
	if err := json.Unmarshal([]byte(raw), &a); err != nil {
		s.t.Errorf("%d %s: %v", status, raw, err)
	}
	return status, a
}

const (
	csvType   = "text/csv; charset=utf-8"
	linesType = "application/x-ndjson"
)

func TestLabelsOfEveryFormatAreTheSame(t *testing.T) {
	known := time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC)
	want := []signal.Label{
		{System: "loans", ID: "a", Row: 2, Value: "approved", Time: known, Source: "desk"},
		{System: "loans", ID: "b", Row: 7, Value: "1"},
		{System: "cards", ID: "c#7", Value: "0.5"},
		{System: "loans", ID: "12", Value: "true"},
	}
	objects := []string{
		`{"id":"a","row":2,"label":"approved","time":"2026-03-01T00:00:00+01:00","source":"desk"}`,
		`{"id":"b#7","label":1.0,"time":null}`,
		`{"system":"cards","id":"c#7","row":"0","label":5e-1}`,
		`{"id":12,"label":true}`,
	}
	table := "system, id ,row,label,time,source\r\n,a,2,approved,2026-03-01T00:00:00+01:00,\"desk\"\r\n,b#7,,1,,\n\ncards,c#7,0,0.5,,\n,12,,true,,\n"
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = encoder.Close() }()
	for name, c := range map[string]struct {
		body, media, encoding string
	}{
		"an array":        {" [" + strings.Join(objects, ",") + "]\n", jsonType, ""},
		"objects":         {strings.Join(objects, " "), jsonType, "identity"},
		"lines":           {"\n" + strings.Join(objects, "\r\n\n"), linesType, ""},
		"a table":         {"\ufeff" + table, csvType, ""},
		"a table, gzip":   {string(zipped(t, table)), csvType, "gzip"},
		"an array, zstd":  {string(encoder.EncodeAll([]byte("["+strings.Join(objects, ",")+"]"), nil)), jsonType, "zstd"},
		"lines with ends": {strings.Join(objects, "\n") + "\n", "application/jsonl", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, k := newTaker(t, 0)
			status, a := s.postLabels(c.body, c.media, "Content-Encoding", c.encoding, "Evenkeel-Batch", "desk/1")
			if status != 200 || a.Accepted != 4 || a.Refused != 0 || !slices.Equal(k.taken, want) || !slices.Equal(k.senders, []string{"desk/1"}) {
				t.Errorf("%d %+v; got %+v of %q", status, a, k.taken, k.senders)
			}
		})
	}
}

func TestEveryBadLabelIsNamedAndTheGoodOnesAreTaken(t *testing.T) {
	long := strings.Repeat("x", 5000)
	bad := []struct{ object, row, says string }{
		{`{"label":1}`, `,,1,`, "id: missing"},
		{`{"id":"a"}`, `a,,,`, "label: missing"},
		{`{"id":"` + long + `","label":1}`, long + `,,1,`, "id: 5000 bytes, more than 256"},
		{`{"id":"a","label":"` + long + `"}`, `a,,` + long + `,`, "label: 5000 bytes, more than 4096"},
		{`{"id":"a","label":1,"row":-1}`, `a,-1,1,`, `row: "-1" is no row`},
		{`{"id":"a","label":1,"time":"yesterday"}`, `a,,1,yesterday`, `time: "yesterday" is not RFC 3339`},
		{`{"id":"a","label":1,"time":"0001-01-01T00:00:00Z"}`, `a,,1,0001-01-01T00:00:00Z`, "before any prediction"},
		{`{"id":"a","label":1,"time":"2026-03-02T12:00:31Z"}`, `a,,1,2026-03-02T12:00:31Z`, "in the future"},
	}
	onlyJSON := []struct{ object, says string }{
		{`{"id":"a","lable":1}`, `unknown field "lable"`},
		{`{"id":"a","label":[1]}`, "label: not a text or a number"},
		{`{"id":true,"label":1}`, "id: not a text or a number"},
		{`{"id":"a","label":1e999}`, "beyond any number"},
		{`[1]`, "not a JSON object"},
		{`null`, "not a JSON object"},
	}
	const good, goodRow = `{"id":"good","label":1}`, "good,,1,\n"
	objects, table := []string{good}, "id,row,label,time\n"+goodRow
	var says []string
	for _, b := range bad {
		objects, says = append(objects, b.object), append(says, b.says)
		table += b.row + "\n"
	}
	for _, b := range onlyJSON {
		objects, says = append(objects, b.object), append(says, b.says)
	}
	objects = append(objects, good)
	table += "too,few\n" + `a,,"b" c,` + "\n" + goodRow
	tableSays := append(slices.Clone(says[:len(bad)]), "wrong number of fields", "quote")
	for name, c := range map[string]struct {
		body, media, place string
		first              int // number of the first bad one
		says               []string
	}{
		"an array": {"[" + strings.Join(objects, ",") + "]", jsonType, "item", 2, says},
		"lines":    {strings.Join(objects, "\n"), linesType, "line", 2, says},
		"a table":  {table, csvType, "line", 3, tableSays},
	} {
		t.Run(name, func(t *testing.T) {
			s, k := newTaker(t, 0)
			status, a := s.postLabels(c.body, c.media)
			if status != 200 || a.Accepted != 2 || a.Refused != len(c.says) || len(a.Errors) != len(c.says) || k.refused != len(c.says) || len(k.taken) != 2 {
				t.Fatalf("%d %+v", status, a)
			}
			for i, e := range a.Errors {
				if at := fmt.Sprintf("%s %d", c.place, c.first+i); e.At != at || !strings.Contains(e.Message, c.says[i]) || e.Hint == "" {
					t.Errorf("%s: %s: %s; %s; want %q", at, e.At, e.Message, e.Hint, c.says[i])
				}
			}
		})
	}
	s, _ := newTaker(t, 0)
	if _, body, _ := s.do("POST", "/api/v1/labels", good, "Content-Type", jsonType); !strings.Contains(body, "system: missing") {
		t.Errorf("without a system: %s", body)
	}
	if _, a := s.postLabels(strings.Repeat("{}\n", 150)+good, linesType); a.Refused != 150 || len(a.Errors) != 100 || a.Accepted != 1 {
		t.Errorf("150 bad ones: %d refused, %d told, %d taken", a.Refused, len(a.Errors), a.Accepted)
	}
	if _, a := s.postLabels(`{"id":"`+strings.Repeat("x", 200_000)+"\"}\n"+good, linesType); a.Refused != 1 || a.Accepted != 1 || a.Errors[0].At != "line 1" {
		t.Errorf("a long line: %+v", a)
	}
}

func TestWhatCannotBeReadIsRefusedWhole(t *testing.T) {
	for name, c := range map[string]struct {
		body, media, encoding string
		status, accepted      int
		says                  string
	}{
		"nothing":              {"", jsonType, "", 400, 0, "empty"},
		"an empty table":       {"", csvType, "", 400, 0, "empty"},
		"another header":       {"id,lable\na,1\n", csvType, "", 400, 0, `unknown field "lable"`},
		"a header twice":       {"id,label,id\n", csvType, "", 400, 0, `"id" stands twice`},
		"another type":         {"id,label\na,1\n", "text/plain", "", 415, 0, "text/plain"},
		"no type":              {"id,label\na,1\n", "", "", 415, 0, "content type"},
		"what curl makes it":   {"id,label\na,1\n", "application/x-www-form-urlencoded", "", 415, 0, "a form"},
		"another encoding":     {"x", jsonType, "br", 415, 0, "content encoding"},
		"gzip that is none":    {"x", jsonType, "gzip", 400, 0, ""},
		"gzip that is broken":  {broken(zipped(t, `{"id":"a","label":1}`)), jsonType, "gzip", 400, 0, ""},
		"gzip that stops":      {string(zipped(t, `{"id":"a","label":1}`)[:12]), jsonType, "gzip", 400, 0, "unexpected EOF"},
		"zstd that is none":    {"not zstd", csvType, "zstd", 400, 0, ""},
		"cut off":              {`[{"id":"a","label":1},{"id":"b"`, jsonType, "", 400, 1, "item 2: unexpected EOF"},
		"an array that stops":  {`[{"id":"a","label":1}`, jsonType, "", 400, 1, "unexpected EOF"},
		"something behind it":  {`[{"id":"a","label":1}] x`, jsonType, "", 400, 1, "behind the array"},
		"no JSON from item 2":  {`{"id":"a","label":1} {"id":`, jsonType, "", 400, 1, "item 2"},
		"too large":            {`{"id":"a","label":1}` + "\n" + strings.Repeat("{}\n", 2000), linesType, "", 413, 1, "more than 4096 bytes"},
		"too large within zip": {string(zipped(t, "id,label\na,1\n"+strings.Repeat("b,1\n", 2000))), csvType, "gzip", 413, 0, "more than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s, k := newTaker(t, 4096)
			status, a := s.postLabels(c.body, c.media, "Content-Encoding", c.encoding)
			if status != c.status || a.Error.Kind != "invalid" || !strings.Contains(a.Error.Message, c.says) || a.Accepted != len(k.taken) {
				t.Errorf("%d %+v, %d taken", status, a, len(k.taken))
			}
			if c.accepted > 0 && a.Accepted < c.accepted {
				t.Errorf("%d accepted, at least %d are good", a.Accepted, c.accepted)
			}
		})
	}
}

// broken spoils the first block behind gzip's header.
func broken(zip []byte) string {
	zip[10] |= 0x06 // a type of block that there is none of
	return string(zip)
}

// TestNamesThatAreNoTextsAreNamed sends files in another encoding, and a system
// that nobody has: a decoder that mends them would name another prediction.
func TestNamesThatAreNoTextsAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ body, media, says string }{
		"Latin-1 in JSON":    {"{\"id\":\"caf\xe9\",\"label\":1} {\"id\":\"a\",\"label\":1}", jsonType, "not UTF-8"},
		"Latin-1 in lines":   {"{\"id\":\"a\",\"label\":\"caf\xe9\"}\n{\"id\":\"a\",\"label\":1}", linesType, "not UTF-8"},
		"Latin-1 in a table": {"id,label\ncaf\xe9,1\na,1\n", csvType, "not UTF-8"},
		"a long system":      {"id,label,system\na,1," + strings.Repeat("x", 1025) + "\na,1,\n", csvType, "system: 1025 bytes"},
	} {
		s, k := newTaker(t, 0)
		status, a := s.postLabels(c.body, c.media)
		if status != 200 || a.Refused != 1 || a.Accepted != 1 || len(k.taken) != 1 || !strings.Contains(a.Errors[0].Message, c.says) {
			t.Errorf("%s: %d %+v", name, status, a)
		}
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestManyLabelsAreTakenInParts fails at the second part: the answer says what
// is safe, and that the rest may be tried again.
func TestManyLabelsAreTakenInParts(t *testing.T) {
	s, k := newTaker(t, 0)
	var body strings.Builder
	body.WriteString("id,label\n")
	for i := range 12_000 {
		fmt.Fprintf(&body, "%d,1\n", i)
	}
	if status, a := s.postLabels(body.String(), csvType); status != 200 || a.Accepted != 12_000 || k.calls != 3 || len(k.taken) != 12_000 {
		t.Fatalf("%d %+v in %d calls", status, a, k.calls)
	}
	k.calls, k.taken, k.err = 0, nil, errs.E("append to the spool", errs.Exhausted, errors.New("full"), "is the store away?")
	status, raw, header := s.do("POST", "/api/v1/labels?system=loans", body.String(), "Content-Type", csvType)
	var a answer
	if err := json.Unmarshal([]byte(raw), &a); err != nil {
		t.Fatal(err)
	}
	if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" || a.Accepted != 5000 || len(k.taken) != 5000 || a.Error.Hint != "is the store away?" {
		t.Errorf("%d %v %s", status, header, raw)
	}
}

// TestPrometheusStillAsksForLabelNames keeps the form that shares the address.
func TestPrometheusStillAsksForLabelNames(t *testing.T) {
	k := &taker{}
	s := newSite(t, func(o *api.Options) { o.Labels = k })
	const names = `{"status":"success","data":["__name__","feature"]}`
	for _, body := range []string{"", "match[]=drift", "start=0&end=1900000000"} {
		if status, got, _ := s.do("POST", "/api/v1/labels", body, "Content-Type", "application/x-www-form-urlencoded"); status != 200 || got != names {
			t.Errorf("%q: %d %s", body, status, got)
		}
	}
	if status, got, _ := s.do("POST", "/api/v1/labels", ""); status != 200 || got != names {
		t.Errorf("without a body: %d %s", status, got)
	}
	if status, got, _ := s.do("GET", "/api/v1/labels", ""); status != 200 || got != names {
		t.Errorf("GET: %d %s", status, got)
	}
	if k.calls != 0 {
		t.Errorf("%d calls", k.calls)
	}
}
