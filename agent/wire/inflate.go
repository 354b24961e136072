package wire

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
)

// inflater undoes the Content-Encoding of bodies, one at a time for each side,
// into memory that it reuses.
type inflater struct {
	gzip    *gzip.Reader
	zlib    io.ReadCloser
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
