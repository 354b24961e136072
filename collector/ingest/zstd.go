package ingest

import (
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
)

// zstdWindow bounds the memory that one stream may ask for. Senders that
// compress with the usual levels ask for 8 MiB at most.
const zstdWindow = 8 << 20

// newZstd gives a reader of what a stream holds, which must be closed. Its
// memory is bounded by the window, whatever the stream says about itself.
func newZstd(r io.Reader, limit int64) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(uint64(max(limit, zstdWindow))))
}

// gRPC keeps its compressors in one list for the whole process, which may only
// be changed before anything is served.
func init() { encoding.RegisterCompressor(&grpcZstd{}) }

// grpcZstd is zstd for gRPC, as other implementations of OTLP name it. How much
// of a message is read is bounded by who asks.
type grpcZstd struct{ writers, readers sync.Pool }

// Name is the value of grpc-encoding.
func (*grpcZstd) Name() string { return "zstd" }

// Compress is for our answers, and for clients in this process.
func (c *grpcZstd) Compress(w io.Writer) (io.WriteCloser, error) {
	if z, ok := c.writers.Get().(*pooledWriter); ok {
		z.Reset(w)
		return z, nil
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(512<<10))
	if err != nil {
		return nil, err
	}
	return &pooledWriter{z, &c.writers}, nil
}

type pooledWriter struct {
	*zstd.Encoder
	pool *sync.Pool
}

// Close ends the stream and gives the encoder back.
func (w *pooledWriter) Close() error {
	err := w.Encoder.Close()
	w.pool.Put(w)
	return err
}

// Decompress reads a message.
func (c *grpcZstd) Decompress(r io.Reader) (io.Reader, error) {
	if z, ok := c.readers.Get().(*zstd.Decoder); ok {
		return &zstdMessage{z, &c.readers}, z.Reset(r)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	return &zstdMessage{z, &c.readers}, err
}

// zstdMessage gives its decoder back when it was read to the end. One that was
// not is left to the garbage collector: decoders of one goroutine hold nothing
// else.
type zstdMessage struct {
	decoder *zstd.Decoder
	pool    *sync.Pool
}

// Read gives the message's bytes.
func (m *zstdMessage) Read(p []byte) (int, error) {
	if m.decoder == nil {
		return 0, io.EOF
	}
	n, err := m.decoder.Read(p)
	if err == io.EOF {
		m.pool.Put(m.decoder)
		m.decoder = nil
	}
	return n, err
}
