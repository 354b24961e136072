package intake

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	requestType = "org.kubeflow.serving.inference.request"
	answerType  = "org.kubeflow.serving.inference.response"
)

func onlyLoans(name string) (string, bool) { return "loans", name == "loans" }

// post sends an event as KServe's logger does and gives the answer's status.
func post(t testing.TB, i *Intake, id, kind, body string, header ...string) int {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Ce-Id", id)
	r.Header.Set("Ce-Type", kind)
	r.Header.Set("Ce-Specversion", "1.0")
	r.Header.Set("Ce-Inferenceservicename", "loans")
	r.Header.Set("Ce-Namespace", "default")
	r.Header.Set("Ce-Component", "predictor")
	r.Header.Set("Content-Type", "application/json")
	for j := 0; j < len(header); j += 2 {
		r.Header.Set(header[j], header[j+1])
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	return w.Code
}

// drained runs Drain until the returned function is called, which gives what came.
func drained(t testing.TB, i *Intake) (stop func() []string) {
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	var running sync.WaitGroup
	running.Go(func() {
		i.Drain(ctx, func(x *Exchange) {
			got = append(got, fmt.Sprint(x.Model, " ", x.ID, " ", string(x.Request.Body), " ", string(x.Response.Body)))
		})
	})
	return func() []string {
		cancel()
		running.Wait()
		i.Close()
		return got
	}
}

// whole holds a model's account together, and all memory must be back.
func whole(t testing.TB, i *Intake, want Counts) {
	t.Helper()
	if got := i.Counts("loans"); got != want || got.Seen != got.Captured+got.Dropped() {
		t.Errorf("counts %+v, want %+v", got, want)
	}
	if n := i.Held(); n != 0 {
		t.Errorf("%d bytes are held after the end", n)
	}
}

func TestHalvesComeTogetherInAnyOrderAndOnce(t *testing.T) {
	i := New(Options{Model: onlyLoans})
	stop := drained(t, i)
	for _, e := range [][3]string{
		{"1", requestType, "q1"},
		{"1", answerType, "a1"},
		{"2", answerType, "a2"},
		{"2", requestType, "q2"},
		{"1", requestType, "q1"},
		{"2", answerType, "a2"}, // a broker sends again
		{"3", requestType, "q3"},
		{"3", requestType, "q3"},
		{"3", "io.seldon.serving.inference.response", "a3"},
	} {
		if status := post(t, i, e[0], e[1], e[2]); status != http.StatusAccepted {
			t.Errorf("%v: %d", e, status)
		}
	}
	if got, want := strings.Join(stop(), ", "), "loans 1 q1 a1, loans 2 q2 a2, loans 3 q3 a3"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	whole(t, i, Counts{Seen: 3, Captured: 3})
	if r := i.Refused(); r[RefusedDuplicate] != 3 {
		t.Errorf("refused %v, want 3 duplicates", r)
	}
}

// The same id of another component or namespace is another exchange.
func TestIDsAreOfTheirService(t *testing.T) {
	i := New(Options{Model: onlyLoans})
	stop := drained(t, i)
	post(t, i, "1", requestType, "q")
	post(t, i, "1", answerType, "a", "Ce-Component", "transformer")
	post(t, i, "1", answerType, "a", "Ce-Namespace", "other")
	if got := stop(); len(got) != 0 {
		t.Errorf("paired %v", got)
	}
	whole(t, i, Counts{Seen: 3, Unpaired: 3})
}

func TestEventsInOneBody(t *testing.T) {
	i := New(Options{Model: onlyLoans})
	stop := drained(t, i)
	structured := func(body string) int {
		return post(t, i, "", "", body, "Content-Type", "application/cloudevents+json; charset=utf-8")
	}
	head := `{"specversion":"1.0","id":"7","inferenceservicename":"loans","source":"x","type":`
	if s := structured(head + `"` + requestType + `","data":{"instances": [1]}}`); s != http.StatusAccepted {
		t.Error(s)
	}
	if s := structured(head + `"` + answerType + `","data_base64":"` + base64.StdEncoding.EncodeToString([]byte(`{"predictions":[1]}`)) + `"}`); s != http.StatusAccepted {
		t.Error(s)
	}
	if got, want := strings.Join(stop(), ", "), `loans 7 {"instances": [1]} {"predictions":[1]}`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	whole(t, i, Counts{Seen: 1, Captured: 1})
}

// A batch is taken whole, but for what is no event; its members pair with each
// other and with events that come alone.
func TestABatchOfEvents(t *testing.T) {
	i := New(Options{Model: onlyLoans, MaxBody: 100})
	stop := drained(t, i)
	member := func(id, kind, data string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"inferenceservicename":"loans","namespace":"default","component":"predictor","type":%q,"data":%s}`, id, kind, data)
	}
	batch := func(members ...string) int {
		return post(t, i, "", "", "["+strings.Join(members, ",")+"]", "Content-Type", batchType)
	}
	if s := post(t, i, "2", requestType, "q"); s != http.StatusAccepted {
		t.Error(s)
	}
	if s := batch(`{"id":"no type"}`, `7`, member("2", answerType, "2")); s != http.StatusAccepted {
		t.Error(s)
	}
	i2 := New(Options{Model: onlyLoans})
	stop2 := drained(t, i2)
	if s := post(t, i2, "", "", "["+member("1", requestType, "{}")+","+member("1", answerType, "[]")+"]", "Content-Type", batchType); s != http.StatusAccepted {
		t.Error(s)
	}
	if got := strings.Join(stop2(), ", "); got != "loans 1 {} []" {
		t.Errorf("a batch of both halves gave %q", got)
	}
	whole(t, i2, Counts{Seen: 1, Captured: 1})
	if s := batch(member("3", requestType, `"`+strings.Repeat("x", 101)+`"`)); s != http.StatusBadRequest {
		t.Errorf("a batch beyond twice max_body: %d", s)
	}
	if got := strings.Join(stop(), ", "); got != "loans 2 q 2" {
		t.Errorf("got %q", got)
	}
	whole(t, i, Counts{Seen: 1, Captured: 1})
	if n := i.Refused()[RefusedNoEvent]; n != 3 {
		t.Errorf("%d were no events, want 3: two of a batch, and a body that is too large", n)
	}
}

func TestWhatIsNoEventIsRefused(t *testing.T) {
	i := New(Options{Model: onlyLoans})
	defer i.Close()
	for _, c := range []struct {
		id, kind, body string
		header         []string
		want           int
		reason         string
	}{
		{"", requestType, "q", nil, http.StatusBadRequest, RefusedNoEvent},
		{"1", "", "q", nil, http.StatusBadRequest, RefusedNoEvent},
		{strings.Repeat("x", 257), requestType, "q", nil, http.StatusBadRequest, RefusedNoEvent},
		{"", "", "{}", []string{"Content-Type", batchType}, http.StatusBadRequest, RefusedNoEvent},
		{"", "", `[{"id":"1"}]`, []string{"Content-Type", batchType}, http.StatusAccepted, RefusedNoEvent},
		{"", "", "not JSON", []string{"Content-Type", structuredType}, http.StatusBadRequest, RefusedNoEvent},
		{"", "", `{"id":"1","type":"` + requestType + `","data_base64":"*"}`, []string{"Content-Type", structuredType}, http.StatusBadRequest, RefusedNoEvent},
		{"1", "org.kubeflow.serving.inference.metadata", "q", nil, http.StatusAccepted, RefusedOtherEvent},
		{"1", requestType, "q", []string{"Ce-Inferenceservicename", "other"}, http.StatusAccepted, RefusedModel},
	} {
		before := i.Refused()[c.reason]
		if got := post(t, i, c.id, c.kind, c.body, c.header...); got != c.want {
			t.Errorf("%.30q %s %s: %d, want %d", c.id, c.kind, c.body, got, c.want)
		}
		if n := i.Refused()[c.reason]; n != before+1 {
			t.Errorf("%s: %d, want one more than %d", c.reason, n, before)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	if i.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
	if c := i.Counts("loans"); c != (Counts{}) || i.Held() != 0 {
		t.Errorf("counts %+v, %d bytes held", c, i.Held())
	}
}

func TestALonelyHalfIsCountedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := New(Options{Model: onlyLoans, Wait: time.Minute})
		stop := drained(t, i)
		post(t, i, "1", requestType, "q1")
		post(t, i, "2", answerType, "a2")
		time.Sleep(30 * time.Second)
		post(t, i, "3", requestType, "q3")
		time.Sleep(30*time.Second - 1)
		synctest.Wait()
		if c := i.Counts("loans"); c != (Counts{}) {
			t.Errorf("counted early: %+v", c)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if c := i.Counts("loans"); c != (Counts{Seen: 2, Unpaired: 2}) {
			t.Errorf("after a minute %+v", c)
		}
		post(t, i, "3", answerType, "a3")
		post(t, i, "1", answerType, "a1") // too late
		synctest.Wait()
		if c := i.Counts("loans"); c != (Counts{Seen: 3, Unpaired: 2, Captured: 1}) {
			t.Errorf("then %+v", c)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := i.Held(); n != 0 {
			t.Errorf("%d bytes are held when all is over", n)
		}
		stop()
		whole(t, i, Counts{Seen: 4, Unpaired: 3, Captured: 1})
	})
}

func TestMemoryIsBoundedByBytes(t *testing.T) {
	const queue, body = 64 << 10, 8 << 10
	i := New(Options{Model: onlyLoans, Queue: queue, MaxBody: body})
	large := strings.Repeat("x", body)
	for n := range 100 {
		post(t, i, fmt.Sprint(n), requestType, large)
		if held := i.Held(); held > queue {
			t.Fatalf("%d bytes are held, the bound is %d", held, queue)
		}
	}
	c := i.Counts("loans")
	if c.QueueFull != 93 || c.Unpaired != 0 {
		t.Errorf("counts %+v, want room for 7 halves", c)
	}
	i.Close()
	whole(t, i, Counts{Seen: 100, QueueFull: 93, Unpaired: 7})
}

// What is only remembered makes room for what waits.
func TestDoneExchangesGiveTheirRoom(t *testing.T) {
	i := New(Options{Model: onlyLoans, Queue: 16 << 10, MaxBody: 1 << 10})
	stop := drained(t, i)
	for n := range 1000 {
		for _, kind := range []string{requestType, answerType} {
			post(t, i, fmt.Sprint(n), kind, "x")
		}
		if i.Counts("loans").Captured != uint64(n+1) {
			t.Fatalf("exchange %d: %+v", n, i.Counts("loans"))
		}
		for i.Held() > 15<<10 { // Drain is behind; it needs no help from here
			runtime.Gosched()
		}
	}
	if got := stop(); len(got) != 1000 {
		t.Errorf("%d exchanges", len(got))
	}
	whole(t, i, Counts{Seen: 1000, Captured: 1000})
}

func TestABodyThatIsTooLargeLosesItsExchange(t *testing.T) {
	i := New(Options{Model: onlyLoans, MaxBody: 10})
	stop := drained(t, i)
	post(t, i, "1", requestType, "12345678901") // its length is announced
	post(t, i, "1", answerType, "a")
	post(t, i, "2", requestType, "q")
	r := httptest.NewRequest(http.MethodPost, "/", struct{ *bytes.Reader }{bytes.NewReader([]byte("12345678901"))})
	r.ContentLength = -1
	for k, v := range map[string]string{"Ce-Id": "2", "Ce-Type": answerType, "Ce-Inferenceservicename": "loans", "Ce-Namespace": "default", "Ce-Component": "predictor"} {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	i.ServeHTTP(w, r)
	post(t, i, "3", answerType, "12345678901")
	if got := stop(); len(got) != 0 {
		t.Errorf("captured %v", got)
	}
	whole(t, i, Counts{Seen: 3, TooLarge: 3})
}

// Many loggers at once: every exchange is counted once, and nothing stays.
func TestManyLoggersAtOnce(t *testing.T) {
	const loggers, each = 16, 500
	i := New(Options{Model: onlyLoans, Queue: 8 << 20, MaxBody: 1 << 10})
	stop := drained(t, i)
	var clients sync.WaitGroup
	for l := range loggers {
		clients.Go(func() {
			for n := range each {
				id := fmt.Sprint(l, "-", n)
				kinds := []string{requestType, answerType}
				post(t, i, id, kinds[n%2], "x")
				post(t, i, id, kinds[1-n%2], "x")
			}
		})
	}
	clients.Wait()
	if got := stop(); len(got) != loggers*each {
		t.Errorf("%d exchanges, want %d", len(got), loggers*each)
	}
	whole(t, i, Counts{Seen: loggers * each, Captured: loggers * each})
}

func FuzzEvents(f *testing.F) {
	f.Add(structuredType, `{"id":"1","type":"x.inference.request","inferenceservicename":"loans","data":{}}`)
	f.Add(structuredType, `{"id":"1","type":"x.inference.request","inferenceservicename":"loans","data":"text"}`)
	f.Add("application/json", `{}`)
	f.Fuzz(func(t *testing.T, content, body string) {
		i := New(Options{Model: onlyLoans, MaxBody: 1 << 10, Queue: 1 << 20})
		post(t, i, "1", requestType, body, "Content-Type", content)
		i.Close()
		if n := i.Held(); n != 0 {
			t.Errorf("%d bytes are held", n)
		}
	})
}

func BenchmarkPair(b *testing.B) {
	i := New(Options{Model: onlyLoans})
	stop := drained(b, i)
	body := strings.Repeat("x", 1<<10)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		id := fmt.Sprint(n)
		post(b, i, id, requestType, body)
		post(b, i, id, answerType, body)
	}
	b.StopTimer()
	stop()
}
