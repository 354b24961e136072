package tap_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
)

// BenchmarkProxy sends requests of 1 KB and 100 KB through the tap, by turns
// where nothing is wanted and where everything is copied. ratio is the median
// time with the copy over the one without it, in the same run.
func BenchmarkProxy(b *testing.B) {
	for name, size := range map[string]int{"1KB": 1 << 10, "100KB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			upstream := serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				_, _ = io.WriteString(w, `{"outputs":[]}`)
			}))
			p, err := tap.New(tap.Options{Upstream: upstream, Wanted: isInfer, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); p.Drain(ctx, func(*tap.Exchange) {}) }()
			url, body := serve(b, p).String(), strings.Repeat("1", size)
			transport := &http.Transport{}
			client := &http.Client{Transport: transport}
			var plain, copied []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				plain = append(plain, timed(b, client, url+"/other", body))
				copied = append(copied, timed(b, client, url+"/infer", body))
			}
			b.ReportMetric(float64(median(copied))/float64(median(plain)), "ratio")
			b.ReportMetric(float64((median(copied) - median(plain)).Microseconds()), "tee-us")
			transport.CloseIdleConnections()
			cancel()
			<-done
			p.Close()
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func timed(b *testing.B, c *http.Client, url, body string) time.Duration {
	start := time.Now()
	r, err := c.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		b.Fatal(err)
	}
	r.Body.Close()
	return time.Since(start)
}
