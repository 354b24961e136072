package tap

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// saying is a connection on which a model server says what it is told to.
type saying struct {
	net.Conn
	words *bytes.Reader
}

func (c *saying) Read(b []byte) (int, error)  { return c.words.Read(b) }
func (c *saying) Write(b []byte) (int, error) { return len(b), nil }

// hostileAnswers are what no honest model server says, beside a few that it does.
var hostileAnswers = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nmine?",
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nmine",
	"HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nmine",
	"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"HTTP/1.1 200 OK\nContent-Length: 4\n\nmine",
	"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;" + strings.Repeat("x", 5000) + "\r\nmine\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmine\r\n0\r\n\r\n",
	strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 500),
	strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 500) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nmine",
	"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nmine",
	"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n",
	"HTTP/1.1 099 Odd\r\n\r\n", "HTTP/1.1 1000 Odd\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n", "SSH-2.0-server\r\n", "",
}

// What a model server says, whatever it is, neither ends us nor comes to the next
// request: a link is kept only where all that was said is the one answer.
func FuzzAnswer(f *testing.F) {
	for _, s := range hostileAnswers {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, said []byte, method uint8) {
		proxy, err := New(Options{Upstream: &url.URL{Scheme: "http", Host: "m"}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer proxy.Close()
		ours, theirs := net.Pipe()
		defer theirs.Close()
		proxy.links.dial = func(context.Context, string, string) (net.Conn, error) {
			return &saying{ours, bytes.NewReader(said)}, nil
		}
		asked := []string{http.MethodGet, http.MethodHead, http.MethodPost}[method%3]
		w := httptest.NewRecorder()
		proxy.ServeHTTP(w, httptest.NewRequest(asked, "/", nil))
		proxy.links.mu.Lock()
		kept := len(proxy.links.idle) > 0
		proxy.links.mu.Unlock()
		if fault := faultOf(said, asked, w.Body.Bytes()); kept && fault != "" {
			t.Errorf("%s: the link is kept after %q: %s", asked, said, fault)
		}
	})
}

// faultOf says why a link must not be kept, by rules of its own: each head ends
// in an empty line, the last one names one way to end the body, and the bytes
// are those.
func faultOf(said []byte, method string, body []byte) string {
	said = bytes.ReplaceAll(said, []byte("\r\n"), []byte("\n")) // also within a body: its length is looked at below
	for {
		head, rest, ok := bytes.Cut(said, []byte("\n\n"))
		if !ok {
			return "no end of the headers"
		}
		lines := strings.Split(strings.ToLower(string(head)), "\n")
		words := strings.Fields(lines[0])
		if len(words) < 2 || len(words[1]) != 3 {
			return "no status"
		}
		status, err := strconv.Atoi(words[1])
		if err != nil || status < 100 || status == http.StatusSwitchingProtocols {
			return "status"
		}
		if status < 200 {
			said = rest
			continue
		}
		if method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified {
			return map[bool]string{false: "a body where there is none"}[len(rest) == 0]
		}
		return faultOfBody(lines[1:], rest, body)
	}
}

func faultOfBody(lines []string, rest, body []byte) string {
	lengths, chunked := map[string]bool{}, false
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(name) {
		case "content-length":
			lengths[strings.TrimSpace(value)] = true
		case "transfer-encoding":
			chunked = true
		}
	}
	switch {
	case chunked && len(lengths) > 0:
		return "two ways to end the body"
	case chunked && !bytes.HasSuffix(rest, []byte("\n")):
		return "no end of the chunks"
	case chunked:
		return ""
	case len(lengths) != 1:
		return "no length, or several"
	case !lengths[strconv.Itoa(len(body))]:
		return "another length"
	case !bytes.Equal(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), rest):
		return "another body"
	}
	return ""
}
