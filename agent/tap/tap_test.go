package tap_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
)

func TestCopiesAreWhatPassed(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "x-test")
		w.Header().Set("Inference-Header-Content-Length", "7")
		echo(w, r)
	})), nil)
	var got []string
	stop := h.drain(func(x *tap.Exchange) {
		got = append(got, fmt.Sprint(x.Model, " ", x.Path, " ", x.Status, " ", string(x.Request.Body) == string(x.Response.Body), " ",
			len(x.Request.Body), " ", x.Response.ContentEncoding, x.Response.JSONLength, " ", x.End.After(x.Start)))
	})
	var want []string
	for i, size := range []int{0, 1, 4096, 4097, 70_000, 1 << 20, 4 << 20} {
		body := strings.Repeat("x", size)
		if _, answer := h.infer(body); answer != body {
			t.Fatalf("%d bytes came back as %d", size, len(answer))
		}
		want = append(want, fmt.Sprintf("loans /v2/models/loans/infer 200 true %d x-test7 true", size))
		until(t, "the request to be counted", func() bool { return h.tap.Counts("loans").Seen == uint64(i+1) })
	}
	stop()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("copies\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if c := h.idle(7); c.Captured != 7 {
		t.Errorf("%+v", c)
	}
}

func TestChunkedBodiesAreCopied(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(echo)), nil)
	sizes := make(chan int, 1)
	h.drain(func(x *tap.Exchange) { sizes <- len(x.Request.Body) + len(x.Response.Body) })
	body := strings.Repeat("0123456789", 30_000)
	r, err := h.client.Post(h.url+"/infer", "", io.MultiReader(strings.NewReader(body))) // no length announced
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if answer, err := io.ReadAll(r.Body); err != nil || string(answer) != body {
		t.Fatalf("%d bytes back, %v", len(answer), err)
	}
	if n := <-sizes; n != 2*len(body) {
		t.Errorf("copied %d bytes, want %d", n, 2*len(body))
	}
}

// TestNothingElseIsTouched compares what the model server sees and the client
// gets with and without the tap.
func TestNothingElseIsTouched(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		w.Header().Set("X-Seen", fmt.Sprint(r.Method, r.Host, r.RequestURI, r.Header, r.ContentLength))
		w.Header().Set("Date", "x")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "<html>")
	}))
	h := newHarness(t, upstream, nil)
	ask := func(base, method, uri string) http.Header {
		r, err := http.NewRequest(method, base+uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "model.example"
		r.Header = http.Header{"X-Forwarded-For": {"10.0.0.1"}, "Forwarded": {"for=a"}, "User-Agent": {""}, "Te": {"trailers"}, "X-Two": {"a", "b"}}
		answer, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
		return answer.Header
	}
	for _, method := range []string{"GET", "DELETE", "OPTIONS", "PATCH"} {
		for _, uri := range []string{"/", "/a%2Fb/../c?x=%zz;y&z", "/v2/models/loans/infer?x"} {
			direct, proxied := ask(upstream.String(), method, uri), ask(h.url, method, uri)
			if !reflect.DeepEqual(direct, proxied) {
				t.Errorf("%s %s:\ndirect  %v\nproxied %v", method, uri, direct, proxied)
			}
		}
	}
	if n := len(h.tap.Stats().Models); n != 0 {
		t.Errorf("%d models counted, but nothing was wanted", n)
	}
}

func TestABlockedConsumerBlocksNoRequest(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(echo)), func(o *tap.Options) { o.Queue = 64 << 10 })
	blocked, held := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	var consumed atomic.Uint64
	h.drain(func(*tap.Exchange) {
		if consumed.Add(1) == 1 {
			close(blocked)
			<-held
		}
	})
	t.Cleanup(release)
	body := strings.Repeat("y", 3000)
	h.infer(body)
	<-blocked
	for range 200 {
		if status, answer := h.infer(body); status != 200 || answer != body {
			t.Fatalf("status %d, %d bytes", status, len(answer))
		}
	}
	until(t, "all to be counted", func() bool { return h.tap.Counts("loans").Seen == 201 })
	if s := h.tap.Stats(); s.Held > s.Bound {
		t.Errorf("%d bytes held, the bound is %d", s.Held, s.Bound)
	}
	release()
	c := h.idle(201)
	if c.QueueFull == 0 || c.Captured < 7 || c.Captured != consumed.Load() {
		t.Errorf("%+v, consumed %d: about seven copies of 9 KiB fit into 64", c, consumed.Load())
	}
	h.infer(body)
	if again := h.idle(202); again.Captured != c.Captured+1 {
		t.Errorf("capture does not go on when there is room again: %+v", again)
	}
}

func TestLargeBodiesPassUncopied(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		echo(w, r)
		if r.URL.Query().Has("grow") {
			_, _ = io.WriteString(w, strings.Repeat("z", 20_000))
		}
	})), func(o *tap.Options) { o.MaxBody = 10_000 })
	h.drain(func(*tap.Exchange) { t.Error("a copy beyond the limit was handed over") })
	large := strings.Repeat("z", 10_001)
	if _, answer := h.infer(large); answer != large {
		t.Error("a large request was damaged")
	}
	if _, answer, err := h.post("/infer?grow", "small"); err != nil || len(answer) != 20_005 {
		t.Errorf("a large answer was damaged: %d bytes, %v", len(answer), err)
	}
	r, err := h.client.Post(h.url+"/infer", "", io.MultiReader(strings.NewReader(large)))
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(r.Body); err != nil || string(answer) != large {
		t.Errorf("a large chunked request was damaged: %d bytes, %v", len(answer), err)
	}
	r.Body.Close()
	if c := h.idle(3); c.TooLarge != 3 {
		t.Errorf("%+v, want three too large", c)
	}
}

func TestAModelServerThatIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := &url.URL{Scheme: "http", Host: l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	outcomes := make(chan tap.Outcome, 1)
	h := newHarness(t, gone, func(o *tap.Options) {
		o.Finished = func(_ string, o tap.Outcome, _ time.Duration) { outcomes <- o }
	})
	statuses := make(chan int, 1)
	h.drain(func(x *tap.Exchange) { statuses <- x.Status })
	status, answer := h.infer("{}")
	if status != http.StatusBadGateway || !strings.Contains(answer, gone.Host) || !strings.Contains(answer, "refused") || len(answer) > 200 {
		t.Errorf("status %d, answer %s", status, answer)
	}
	if o := <-outcomes; o != tap.Unreachable {
		t.Errorf("outcome %s", o)
	}
	if s := <-statuses; s != http.StatusBadGateway {
		t.Errorf("handed over with status %d", s)
	}
	if n := h.tap.Stats().Unreachable; n != 1 {
		t.Errorf("unreachable %d", n)
	}
	h.idle(1)
}

func TestAModelServerThatIsSilent(t *testing.T) {
	h := newHarness(t, serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server watch the connection
		<-r.Context().Done()
	})), func(o *tap.Options) { o.HeaderTimeout = 20 * time.Millisecond })
	h.drain(func(*tap.Exchange) {})
	if status, answer := h.infer("{}"); status != http.StatusGatewayTimeout {
		t.Errorf("status %d, answer %s", status, answer)
	}
	h.idle(1)
}

func TestErrorAnswersKeepOnlyTheirStatus(t *testing.T) {
	outcomes := make(chan tap.Outcome, 2)
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		http.Error(w, "no: "+string(body), map[string]int{"a": 400, "b": 500}[string(body)])
	})), func(o *tap.Options) { o.Finished = func(_ string, o tap.Outcome, _ time.Duration) { outcomes <- o } })
	kept := make(chan [3]int, 2)
	h.drain(func(x *tap.Exchange) { kept <- [3]int{x.Status, len(x.Request.Body), len(x.Response.Body)} })
	for body, want := range map[string]tap.Outcome{"a": tap.ClientError, "b": tap.ServerError} {
		status, answer := h.infer(body)
		if answer != "no: "+body+"\n" {
			t.Errorf("answer %q", answer)
		}
		if o, k := <-outcomes, <-kept; o != want || k != [3]int{status, 0, 0} {
			t.Errorf("outcome %s, kept %v", o, k)
		}
	}
	h.idle(2)
}

func TestABrokenAnswerBreaksForTheClientToo(t *testing.T) {
	outcomes := make(chan tap.Outcome, 1)
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "only this")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})), func(o *tap.Options) { o.Finished = func(_ string, o tap.Outcome, _ time.Duration) { outcomes <- o } })
	h.drain(func(*tap.Exchange) { t.Error("half an answer was handed over") })
	if _, answer, err := h.post("/infer", "{}"); !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Errorf("the client got %q and %v, want a broken connection", answer, err)
	}
	if o := <-outcomes; o != tap.Aborted {
		t.Errorf("outcome %s", o)
	}
	if c := h.idle(1); c.Aborted != 1 {
		t.Errorf("%+v", c)
	}
}

func TestAClientThatLeaves(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	h := newHarness(t, serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		close(left)
	})), nil)
	h.drain(func(*tap.Exchange) { t.Error("half an exchange was handed over") })
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /infer HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	<-left // the model server is told
	if c := h.idle(1); c.Aborted != 1 {
		t.Errorf("%+v", c)
	}
}

func TestPanicsInTheCaptureHarmNoRequest(t *testing.T) {
	var wanted atomic.Uint64
	h := newHarness(t, serve(t, http.HandlerFunc(echo)), func(o *tap.Options) {
		o.Wanted = func(*http.Request) (string, bool) {
			if wanted.Add(1) == 1 {
				panic("wanted")
			}
			return "loans", true
		}
		o.Finished = func(string, tap.Outcome, time.Duration) { panic("finished") }
	})
	h.drain(func(*tap.Exchange) { panic("consume") })
	for range 3 {
		if status, answer := h.infer("body"); status != 200 || answer != "body" {
			t.Errorf("status %d, answer %q", status, answer)
		}
	}
	until(t, "five panics: one of wanted, two each of finished and consume", func() bool { return h.tap.Stats().Panics == 5 })
	if held := h.tap.Stats().Held; held != 0 {
		t.Errorf("%d bytes are lost", held)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	ok := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	for want, o := range map[string]tap.Options{
		"want a URL":  {Upstream: &url.URL{Scheme: "ftp", Host: "x"}},
		"upstream":    {},
		"queue needs": {Upstream: ok, Queue: 1},
		"max body":    {Upstream: ok, MaxBody: -1},
	} {
		if _, err := tap.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}
