package journal

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/signal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// window is an OTLP request with one window of two features.
func window(t *testing.T, sequence uint64) []byte {
	t.Helper()
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().SetEventName(signal.EventLineageRun)
	for _, feature := range []signal.FeatureName{"income", "age"} {
		d := &signal.Distribution{
			Model: signal.ModelRef{Name: "loan", Version: "1"}, Window: signal.WindowID{Instance: "i", Sequence: sequence},
			Start: time.Unix(10, 0), End: time.Unix(20, 0), Parts: 2, Target: signal.TargetFeature, Feature: feature,
			Kind: signal.Numeric, Counts: []uint64{1, 2}, N: 3, Min: math.NaN(), Max: math.NaN(),
		}
		r := records.AppendEmpty()
		r.SetEventName(signal.EventWindowProfile)
		for _, a := range signal.EncodeDistribution(d) {
			switch v := a.Value.(type) {
			case []int64:
				list := r.Attributes().PutEmptySlice(a.Key)
				for _, n := range v {
					list.AppendEmpty().SetInt(n)
				}
			default:
				if err := r.Attributes().PutEmpty(a.Key).FromRaw(v); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	raw, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func answer(t *testing.T, rejected int64) []byte {
	t.Helper()
	r := plogotlp.NewExportResponse()
	r.PartialSuccess().SetRejectedLogRecords(rejected)
	raw, err := r.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func post(t *testing.T, url string, body []byte, encoding string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest("POST", url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Evenkeel-Batch", "i/7")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return resp.StatusCode, raw
}

func zip(raw []byte) []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write(raw)
	_ = z.Close()
	return buf.Bytes()
}

func TestOnlyAcknowledgedEventsAreNoted(t *testing.T) {
	var status, rejected atomic.Int64
	var got atomic.Pointer[http.Request]
	var gotBody atomic.Pointer[[]byte]
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		got.Store(r)
		gotBody.Store(&raw)
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(int(status.Load()))
		_, _ = w.Write(answer(t, rejected.Load()))
	}))
	defer collector.Close()
	j := New()
	p, err := NewProxy(collector.URL, j, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	front := httptest.NewServer(p)
	defer front.Close()

	for _, c := range []struct {
		name     string
		body     []byte
		encoding string
		status   int64
		rejected int64
		path     string
		want     int
	}{
		{"refused", window(t, 1), "", 503, 0, "/v1/logs", 0},
		{"taken in part", window(t, 1), "", 200, 1, "/v1/logs", 0},
		{"metrics", window(t, 1), "", 200, 0, "/v1/metrics", 0},
		{"taken", window(t, 1), "", 200, 0, "/v1/logs", 2},
		{"taken again", window(t, 1), "", 200, 0, "/v1/logs", 2},
		{"zipped", zip(window(t, 2)), "gzip", 200, 0, "/v1/logs", 4},
	} {
		status.Store(c.status)
		rejected.Store(c.rejected)
		code, _ := post(t, front.URL+c.path, c.body, c.encoding)
		if code != int(c.status) || j.Acknowledged() != c.want {
			t.Errorf("%s: status %d, %d noted; want %d and %d", c.name, code, j.Acknowledged(), c.status, c.want)
		}
		if r := got.Load(); r.Header.Get("Evenkeel-Batch") != "i/7" || r.Header.Get("Content-Encoding") != c.encoding || r.URL.Path != c.path {
			t.Errorf("%s: passed on as %v %v", c.name, r.URL, r.Header)
		}
		if !bytes.Equal(*gotBody.Load(), c.body) {
			t.Errorf("%s: the body was changed on the way", c.name)
		}
	}
	collector.Close()
	if code, _ := post(t, front.URL+"/v1/logs", window(t, 3), ""); code != 503 || j.Acknowledged() != 4 {
		t.Errorf("without a collector: status %d, %d noted", code, j.Acknowledged())
	}
}

// Whatever rows are there: the balance finds exactly the keys taken away and
// the rows put beside.
func TestCompareFindsWhatWasTakenAndWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := New()
		stored := map[Key]int{}
		want := Balance{}
		for i := range rapid.IntRange(0, 30).Draw(t, "keys") {
			k := Key{Window: signal.WindowID{Instance: "i", Sequence: uint64(i)}.String(), Feature: "income"}
			rows := rapid.IntRange(0, 3).Draw(t, "rows")
			if rows > 0 {
				stored[k] = rows
			}
			want.Stored += rows
			want.Duplicated += max(0, rows-1)
			if rapid.Bool().Draw(t, "acknowledged") {
				j.acked[k] = true
				want.Acknowledged++
				if rows == 0 {
					want.Lost++
				}
			}
		}
		if got := j.Compare(stored); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}
