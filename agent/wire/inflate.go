package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// inflater undoes the Content-Encoding of bodies, one at a time for each side,
// into memory that it reuses.
type inflater struct {
	gzip    *gzip.Reader
	zlib    io.ReadCloser
	zstd    *zstd.Decoder
	brotli  *brotli.Reader
	source  bytes.Reader
	buffers [2]bytes.Buffer
}

// body gives the plain body of m: itself where it is not compressed. The
// result is valid until the next call for the same side.
func (i *inflater) body(m *Message, side, limit int) ([]byte, *Fault) {
	encoding := strings.TrimSpace(m.ContentEncoding)
	var err error
	var r io.Reader
	i.source.Reset(m.Body)
	switch strings.ToLower(encoding) {
	case "", "identity":
		return m.Body, nil
	case "gzip", "x-gzip":
		r, err = i.openGzip()
	case "deflate":
		r, err = i.openZlib()
	case "zstd":
		r, err = i.openZstd(limit)
	case "br":
		r, err = i.openBrotli()
	default:
		return nil, fault(UnsupportedEncoding, "content encoding %.20q", encoding)
	}
	buffer := &i.buffers[side]
	buffer.Reset()
	if err == nil {
		_, err = buffer.ReadFrom(io.LimitReader(r, int64(limit)+1))
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return nil, fault(Truncated, "%s body of %d bytes ends too soon", encoding, len(m.Body))
	case errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, fault(InflatedTooLarge, "%s body of %d bytes asks for too much memory", encoding, len(m.Body))
	case err != nil:
		return nil, fault(BadJSON, "%s body of %d bytes cannot be inflated", encoding, len(m.Body))
	case buffer.Len() > limit:
		return nil, fault(InflatedTooLarge, "%s body of %d bytes inflates to more than %d", encoding, len(m.Body), limit)
	}
	return buffer.Bytes(), nil
}

func (i *inflater) openGzip() (io.Reader, error) {
	if i.gzip == nil {
		r, err := gzip.NewReader(&i.source)
		i.gzip = r
		return r, err
	}
	return i.gzip, i.gzip.Reset(&i.source)
}

// openZlib reads what HTTP calls deflate, RFC 1950.
func (i *inflater) openZlib() (io.Reader, error) {
	if i.zlib == nil {
		r, err := zlib.NewReader(&i.source)
		i.zlib = r
		return r, err
	}
	return i.zlib, i.zlib.(zlib.Resetter).Reset(&i.source, nil)
}

// zstdWindow is the largest history that a frame may ask for, as RFC 8878
// recommends for HTTP: a small body must not make a large buffer.
const zstdWindow = 8 << 20

// openZstd reads RFC 8878. The decoder runs on the caller's goroutine alone.
func (i *inflater) openZstd(limit int) (io.Reader, error) {
	if i.zstd == nil {
		r, err := zstd.NewReader(&i.source, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow),
			zstd.WithDecoderMaxMemory(uint64(limit)+zstdWindow), zstd.WithDecoderLowmem(true))
		i.zstd = r
		return r, err
	}
	return i.zstd, i.zstd.Reset(&i.source)
}

// openBrotli reads RFC 7932, whose window is 16 MiB at most.
func (i *inflater) openBrotli() (io.Reader, error) {
	if i.brotli == nil {
		i.brotli = brotli.NewReader(&i.source)
		return i.brotli, nil
	}
	return i.brotli, i.brotli.Reset(&i.source)
}
