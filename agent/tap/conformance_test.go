package tap_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// shapes answers in all shapes that HTTP/1.1 has, as the path says.
func shapes(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h["Date"] = nil
	h.Set("X-Seen", fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host, " ", r.ContentLength, " ", r.TransferEncoding, " ", len(body), " ", r.Trailer))
	for _, k := range []string{"X-Hop", "X-Kept", "Te", "Keep-Alive", "Proxy-Authorization", "Cookie"} {
		h["X-Got-"+k] = r.Header[k]
	}
	switch r.URL.Query().Get("shape") {
	case "none":
		w.WriteHeader(http.StatusNoContent)
	case "notModified":
		h.Set("Etag", `"a"`)
		w.WriteHeader(http.StatusNotModified)
	case "chunks":
		for _, b := range body {
			_, _ = w.Write([]byte{b})
			_ = http.NewResponseController(w).Flush()
		}
	case "trailers":
		h.Set("Trailer", "X-Sum")
		_, _ = w.Write(body)
		h.Set("X-Sum", "of all")
		h.Set(http.TrailerPrefix+"X-Late", "not announced")
	case "early":
		h.Set("Link", "</a>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		h.Del("Link")
		_, _ = w.Write(body)
	case "hops":
		h.Set("Connection", "X-Hop")
		h.Set("X-Hop", "1")
		h.Set("Keep-Alive", "timeout=5")
		_, _ = w.Write(body)
	case "long":
		h.Set("X-Long", strings.Repeat("l", 50_000))
		_, _ = w.Write(body)
	case "last":
		h.Set("Connection", "close")
		_, _ = w.Write(body)
	case "redirect":
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	default:
		_, _ = w.Write(body)
	}
}

// answered is all that a client sees of an answer.
type answered struct {
	Status          int
	Header, Trailer http.Header
	Length          int64
	Encoding        []string
	Body            string
	Informed        []string // informational answers before it
}

// ask sends text on a connection of its own and reads what comes back.
func ask(t *testing.T, base *url.URL, text string) answered {
	t.Helper()
	conn, err := net.Dial("tcp", base.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	in := bufio.NewReader(conn)
	var out answered
	for {
		answer, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%.80q: %v", text, err)
		}
		if answer.StatusCode < 200 {
			out.Informed = append(out.Informed, fmt.Sprint(answer.StatusCode, answer.Header))
			continue
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatalf("%.80q: %v", text, err)
		}
		for _, k := range []string{"Connection", "Keep-Alive", "X-Hop", "Date"} { // between two neighbours
			answer.Header.Del(k)
		}
		for k, v := range answer.Header {
			slices.Sort(v)
			if textproto.CanonicalMIMEHeaderKey(k) != k {
				t.Errorf("header %q", k)
			}
		}
		out.Status, out.Header, out.Trailer, out.Length = answer.StatusCode, answer.Header, answer.Trailer, answer.ContentLength
		out.Encoding, out.Body = answer.TransferEncoding, string(body)
		return out
	}
}

// What a client sees, and what the model server sees of the client, is the same
// with the tap between them and without.
func TestAnswersAreTheModelServers(t *testing.T) {
	upstream := serve(t, http.HandlerFunc(shapes))
	h := newHarness(t, upstream, nil)
	h.drain(func(*tap.Exchange) {})
	proxied, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{
		"no body":  "\r\n",
		"empty":    "Content-Length: 0\r\n\r\n",
		"known":    "Content-Length: 5\r\n\r\nhello",
		"long":     "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000),
		"chunks":   "Transfer-Encoding: chunked\r\n\r\n5;note=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
		"trailers": "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: a\r\n\r\n",
		"hops":     "Connection: X-Hop\r\nX-Hop: 1\r\nX-Kept: 1\r\nX-Kept: 2\r\nCookie: a=b\r\nCookie: c=d\r\nContent-Length: 5\r\n\r\nhello",
	}
	for _, path := range []string{"/other", "/infer", "/a%2fb/%E4/..//infer"} {
		for _, shape := range []string{"plain", "none", "notModified", "chunks", "trailers", "early", "hops", "long", "last", "redirect"} {
			for _, method := range []string{"POST", "PUT", "GET", "HEAD", "OPTIONS", "DELETE"} {
				for name, rest := range bodies {
					if shape == "chunks" && name == "long" {
						continue // a hundred thousand chunks
					}
					text := method + " " + path + "?shape=" + shape + "&x=%zz;y HTTP/1.1\r\nHost: model.example\r\n" + rest
					direct, through := ask(t, upstream, text), ask(t, proxied, text)
					if name == "hops" { // the header that Connection names ends here
						direct.Header.Del("X-Got-X-Hop")
						for i, told := range direct.Informed {
							direct.Informed[i] = strings.Replace(told, "X-Got-X-Hop:[1] ", "", 1)
						}
					}
					if method == "HEAD" { // announces trailers of a body that does not come
						direct.Header.Del("Trailer")
					}
					if !reflect.DeepEqual(direct, through) {
						t.Errorf("%s %s %s, body %s:\ndirect  %.900s\nthrough %.900s", method, path, shape, name, fmt.Sprintf("%+v", direct), fmt.Sprintf("%+v", through))
					}
				}
			}
		}
	}
	if n := h.tap.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
}
