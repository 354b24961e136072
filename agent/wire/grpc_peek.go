package wire

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"strings"
)

// MaxBeginning is how much of a request's body ModelOf looks at, in bytes.
const MaxBeginning = 1 << 10

// ModelOf names the model that a request asks, where Wants gave none, by the
// beginning of the request's body; encoding is its Grpc-Encoding. It is false
// where no configured model is asked. It may be called from many goroutines at
// once, reads a bounded number of fields, and inflates no more than it needs.
func (d *Decoders) ModelOf(path, encoding string, beginning []byte) (model string, ok bool) {
	to, form, ok := d.routeGRPC(path)
	if !ok || to.model != "" {
		return to.model, ok
	}
	var name string
	if len(beginning) > grpcPrefix {
		if message := uncover(beginning, encoding); message != nil {
			name = form.modelOf(message)
		}
	}
	m, ok := d.grpcModel(form, name)
	switch {
	case !ok:
		return "", false
	case m == nil:
		return strings.Clone(name), true
	}
	return m.name, true
}

// StreamID says whether each message of a method asks for a prediction of its
// own, and by which id a message names itself; empty: by none, or it cannot be
// read. A message, with its prefix, may be whole, cut off, or nil. It may be
// called from many goroutines at once.
func (d *Decoders) StreamID(path, encoding string, answer bool, message []byte) (id string, ok bool) {
	_, form, ok := d.routeGRPC(path)
	if !ok || form != &oipGRPC || !strings.HasSuffix(path, methodStreamInfer) {
		return "", false
	}
	if len(message) <= grpcPrefix {
		return "", true
	}
	b := uncover(message, encoding)
	if answer {
		if inner, _, whole := unwrapAnswer(b); whole {
			b = inner
		}
	}
	return strings.Clone(firstText(b, 3)), true
}

// firstText gives a text field of a message that may be cut off.
func firstText(message []byte, number uint64) string {
	f := protoFields{rest: message}
	for range maxPeeked {
		if !f.next() {
			break
		}
		if f.is(protoBytes) == number {
			return alias(f.bytes)
		}
	}
	return ""
}

// maxPeeked bounds the fields that are read to find a model's name.
const maxPeeked = 64

// uncover gives the beginning of a message out of the beginning of its body;
// nil where it cannot be read.
func uncover(beginning []byte, encoding string) []byte {
	length := uint64(binary.BigEndian.Uint32(beginning[1:]))
	b := beginning[grpcPrefix:]
	b = b[:min(uint64(len(b)), length)]
	switch {
	case beginning[0] == 0:
		return b
	case encoding != "gzip":
		return nil
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	var out [MaxBeginning]byte
	n, _ := io.ReadFull(r, out[:]) // it ends too soon: it is only a beginning
	return out[:n]
}
