package wire

import (
	"bytes"
	"strings"
	"testing"
)

// Whatever a body claims to be, what comes out is within the limit, and the
// next body is read as if nothing had been.
func FuzzInflate(f *testing.F) {
	for _, encoding := range []string{"gzip", "deflate", "zstd", "br"} {
		f.Add(encoding, compressFor(f, encoding, okRequest))
		f.Add(encoding, compressFor(f, encoding, strings.Repeat("0", 5000)))
	}
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		const limit = 4 << 10
		var i inflater
		out, err := i.body(&Message{Body: body, ContentEncoding: encoding}, 0, limit)
		if err == nil && len(out) > limit && &out[0] != &body[0] {
			t.Errorf("%d bytes come out, the limit is %d", len(out), limit)
		}
		for _, good := range []string{"gzip", "deflate", "zstd", "br"} {
			m := Message{Body: compressFor(t, good, okRequest), ContentEncoding: good}
			if got, err := i.body(&m, 0, limit); err != nil || !bytes.Equal(got, []byte(okRequest)) {
				t.Errorf("%s after a body of %s: %q, %v", good, encoding, got, err)
			}
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	text := `{"inputs":[{"name":"x","shape":[1000],"datatype":"FP64","data":[` + strings.Repeat("1234.5,", 999) + `1]}]}`
	for _, encoding := range []string{"gzip", "deflate", "zstd", "br"} {
		b.Run(encoding, func(b *testing.B) {
			var i inflater
			m := Message{Body: compressFor(b, encoding, text), ContentEncoding: encoding}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := i.body(&m, 0, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
