package labels

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Source reads a body item by item. An *ItemError is of the item, and the next
// one can be read; io.EOF is the end; after any other error there is nothing
// more.
type Source interface {
	Next() (Item, error)
	At() string // the place of the item that was read last
}

// ErrUnknown says that a body is of a type or an encoding that is not read: HTTP
// status 415.
var ErrUnknown = errors.New("cannot be read here")

// Types says which bodies are read, for people.
const Types = "to send labels, name what they are: Content-Type text/csv, application/json or application/x-ndjson"

// Open makes the source of a body of a media type, which is named without
// parameters; said is the header as it came, for the error.
func Open(body io.Reader, media, said string) (Source, error) {
	switch media {
	case "application/json":
		return orError(newJSONItems(body))
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return &lineItems{lines: bufio.NewReaderSize(body, maxLine)}, nil
	case "text/csv":
		return orError(newCSVItems(body))
	}
	return nil, errs.E("read request", errs.Invalid, fmt.Errorf("content type %q: %w", said, ErrUnknown), Types)
}

func orError[S Source](s S, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Plain decompresses a body; nil where it is not compressed. The caller bounds
// what it reads, and closes it.
func Plain(body io.Reader, encoding string) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity":
		return nil, nil
	case "gzip":
		unzip, err := gzip.NewReader(body)
		if err != nil {
			return nil, errs.E("read request", errs.Invalid, err, "")
		}
		return unzip, nil
	case "zstd":
		unzip, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, errs.E("read request", errs.Invalid, err, "")
		}
		return unzip.IOReadCloser(), nil
	}
	return nil, errs.E("read request", errs.Invalid, fmt.Errorf("content encoding %q: %w", encoding, ErrUnknown), "send gzip, zstd or none")
}
