package tap

import (
	"context"
	"encoding/binary"
	"net/http"
	"net/url"
	"testing"

	"pgregory.net/rapid"
)

// However a stream's messages are cut and in whatever order they come: each
// request is counted once, and all memory comes back.
func TestEveryMessageOfAStreamIsCounted(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		u, _ := url.Parse("http://127.0.0.1:1")
		p, err := New(Options{
			Upstream: u, MaxBody: 300, Queue: int64(rapid.SampledFrom([]int{4 << 10, 64 << 10, 1 << 20}).Draw(r, "queue")),
			Whose: func(string, string, []byte) (string, bool) { return "loans", true },
			StreamID: func(_, _ string, _ bool, message []byte) (string, bool) {
				if len(message) > 5 {
					return string(message[5:6]), true
				}
				return "", true
			},
		})
		if err != nil {
			r.Fatal(err)
		}
		defer p.Close()
		request, err := http.NewRequest(http.MethodPost, "http://x/stream", nil)
		if err != nil {
			r.Fatal(err)
		}
		request.ProtoMajor = 2
		request.Header.Set("Content-Type", "application/grpc")
		c := p.begin("", request)
		c.x.Status = 200
		asked, answered := 0, 0
		sides := []*tee{{capture: c, to: &c.request, length: -1}, {capture: c, to: &c.response, length: -1}}
		var rest [2][]byte
		for range rapid.IntRange(0, 60).Draw(r, "steps") {
			way := rapid.IntRange(0, 1).Draw(r, "way")
			if len(rest[way]) == 0 {
				body := make([]byte, rapid.SampledFrom([]int{0, 1, 20, 290, 310, 2000}).Draw(r, "size"))
				if len(body) > 0 {
					body[0] = rapid.SampledFrom([]byte("abcd")).Draw(r, "id")
				}
				rest[way] = append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
			}
			n := rapid.IntRange(1, len(rest[way])).Draw(r, "cut")
			sides[way].record(rest[way][:n], nil)
			if rest[way] = rest[way][n:]; len(rest[way]) == 0 {
				if way == 0 {
					asked++
				} else {
					answered++
				}
			}
		}
		p.finish(c)
		got := p.Counts("loans")
		if got.Seen != got.Captured+got.Dropped() || int(got.Seen) < asked || int(got.Seen) > asked+answered {
			r.Fatalf("%d asked, %d answered: %+v", asked, answered, got)
		}
		done, stop := context.WithCancel(context.Background())
		stop()
		p.Drain(done, func(x *Exchange) {
			if a, b := x.Request.Body, x.Response.Body; len(a) > 5 && len(b) > 5 && a[5] != b[5] {
				r.Fatalf("%q was answered by %q", a[5], b[5])
			}
		})
		if held := p.Stats().Held; held != 0 || p.Stats().Panics != 0 {
			r.Fatalf("%d bytes are held, %d panics", held, p.Stats().Panics)
		}
	})
}
