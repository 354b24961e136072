package tap_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// named sends a request with headers through the tap and gives what the model
// server saw, what the client got and what the decoder is told. The server
// answers with a name of its own where answer is not empty.
type named struct {
	upstream, client []string
	exchange         string
}

func sendNamed(t *testing.T, names bool, path, answer string, header map[string]string) named {
	t.Helper()
	var out named
	h := newHarness(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out.upstream = r.Header["X-Request-Id"]
		if answer != "" {
			w.Header().Set("X-Request-Id", answer)
		}
		_, _ = io.Copy(w, r.Body)
	})), func(o *tap.Options) {
		o.Named = func(model string) bool { return names && model == "loans" }
	})
	captured := make(chan string, 1)
	h.drain(func(x *tap.Exchange) { captured <- x.ID + " " + x.Trace })
	r, err := http.NewRequest(http.MethodPost, h.url+path, strings.NewReader(`{"inputs":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != `{"inputs":[1]}` {
		t.Errorf("the body came back as %q, %v", body, err)
	}
	out.client = resp.Header["X-Request-Id"]
	if strings.HasSuffix(path, "/infer") {
		out.exchange = <-captured
	}
	return out
}

func TestRequestsAreNamedOnlyWhereThatIsWanted(t *testing.T) {
	const infer, long = "/v2/models/loans/infer", 257
	for name, test := range map[string]struct {
		names        bool
		path, answer string
		header       map[string]string
		want         string // upstream, client, exchange; * is a new name
	}{
		"not wanted":             {false, infer, "", nil, "[] []  "},
		"not wanted, with names": {false, infer, "", map[string]string{"X-Request-Id": "a", "Traceparent": "t"}, "[a] [] a t"},
		"no name":                {true, infer, "", nil, "[*] [*] * "},
		"the client's":           {true, infer, "", map[string]string{"X-Request-Id": "a", "Ce-Id": "c"}, "[a] [a] a "},
		"an event's":             {true, infer, "", map[string]string{"Ce-Id": "c", "Traceparent": "t"}, "[c] [c] c t"},
		"the server has its own": {true, infer, "s", map[string]string{"X-Request-Id": "a"}, "[a] [s] a "},
		"too long":               {true, infer, "", map[string]string{"X-Request-Id": strings.Repeat("x", long)}, "[long] [*] * "},
		"another path":           {true, "/metrics", "", nil, "[] [] "},
	} {
		t.Run(name, func(t *testing.T) {
			got := sendNamed(t, test.names, test.path, test.answer, test.header)
			text := fmt.Sprint(got.upstream, got.client, " ", got.exchange)
			text = strings.ReplaceAll(strings.Replace(text, "][", "] [", 1), strings.Repeat("x", long), "long")
			if id, _, _ := strings.Cut(got.exchange, " "); uuid.Validate(id) == nil {
				text = strings.ReplaceAll(text, id, "*")
			}
			if text != test.want {
				t.Errorf("got %q, want %q", text, test.want)
			}
		})
	}
}

// Two requests without a name never share one.
func TestNewNamesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		seen[sendNamed(t, true, "/infer", "", nil).exchange] = true
	}
	if len(seen) != 20 {
		t.Errorf("%d names for 20 requests", len(seen))
	}
}
