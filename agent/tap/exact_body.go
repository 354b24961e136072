package tap

import (
	"io"
	"net/http"
)

// exactBody ends by itself when the announced length has been read.
//
// The transport reads once more behind the announced length, to see whether
// there is too much. By then the model server may have answered and our server
// have closed the request's body; that read would fail, and the transport would
// close the connection in the middle of the answer.
type exactBody struct {
	io.ReadCloser
	left int64
}

// exactly wraps a body whose length is known; others are given back as they are.
func exactly(body io.ReadCloser, length int64) io.ReadCloser {
	if body == nil || body == http.NoBody || length <= 0 {
		return body
	}
	return &exactBody{body, length}
}

// Read reads from the body, until the announced length.
func (b *exactBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
