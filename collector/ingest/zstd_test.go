package ingest

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// exportStream is how a client sees the method, if it looks closely.
var exportStream = &grpc.StreamDesc{StreamName: "Export", ClientStreams: true, ServerStreams: true}

// connect gives a connection that sends bytes as they are.
func (s *stack) connect(t testing.TB) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func zstandard(t testing.TB, raw []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	return w.EncodeAll(raw, nil)
}

func TestZstdIsTakenAndBounded(t *testing.T) {
	s := serve(t, func(o *ServerOptions) { o.MaxRequest = 64 << 10 }, nil)
	url := "http://" + s.HTTPAddr() + "/v1/logs"
	client := s.logsClient(t)
	small, big := oneLog("hello"), oneLog(strings.Repeat("a", 100<<10))
	for range 3 { // decoders are used again
		if r := post(t, url, typeProto, "zstd", zstandard(t, bytesOf(t, small)), BatchHeader, "a/1"); r.status != 200 {
			t.Fatalf("%d %q", r.status, r.body)
		}
		if _, err := client.Export(context.Background(), small, grpc.UseCompressor("zstd")); err != nil {
			t.Fatal(err)
		}
		if r := post(t, url, typeProto, "zstd", zstandard(t, bytesOf(t, big))); r.status != http.StatusRequestEntityTooLarge {
			t.Errorf("HTTP: %d %q", r.status, r.body)
		}
		if _, err := client.Export(context.Background(), big, grpc.UseCompressor("zstd")); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("gRPC: %v", err)
		}
	}
	for _, record := range s.spooled(t) {
		if !bytes.Equal(record.Body, bytesOf(t, small)) {
			t.Errorf("spooled %x", record.Body)
		}
	}
}

// TestAWindowThatIsTooLargeIsRefused sends a frame that asks for more memory
// than one may have.
func TestAWindowThatIsTooLargeIsRefused(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(bytes.Repeat([]byte("abcdefgh"), 2<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(o *ServerOptions) { o.MaxRequest, o.MaxInflight = 32<<20, 32<<20 }, nil)
	if r := post(t, "http://"+s.HTTPAddr()+"/v1/logs", typeProto, "zstd", b.Bytes()); r.status != 400 && r.status != 413 {
		t.Errorf("%d %q", r.status, r.body)
	}
}
