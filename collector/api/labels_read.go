package api

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/klauspost/compress/zstd"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// labelSource reads a body item by item. An *itemError is of the item and the
// next one can be read; io.EOF is the end; after any other error there is
// nothing more.
type labelSource interface {
	next() (labelItem, error)
	at() string // the place of the item that was read last
}

// errNotRead is status 415.
var errNotRead = errors.New("cannot be read here")

// openLabels chooses by what the sender says that it sends. Closing frees what
// decompressing holds.
func (h *handler) openLabels(w http.ResponseWriter, r *http.Request, media string) (source labelSource, closeBody func(), err error) {
	body, closeBody, err := h.decompress(w, r)
	if err != nil {
		return nil, nil, err
	}
	switch media {
	case "application/json":
		source, err = newJSONItems(body)
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		source = &lineItems{lines: bufio.NewReaderSize(body, maxLabelLine)}
	case "text/csv":
		source, err = newCSVItems(body)
	default:
		err = errs.E("read request", errs.Invalid, fmt.Errorf("content type %q: %w", r.Header.Get("Content-Type"), errNotRead), labelTypes)
	}
	if err != nil {
		closeBody()
		return nil, nil, err
	}
	return source, closeBody, nil
}

// decompress bounds a body after decompression as it was before.
func (h *handler) decompress(w http.ResponseWriter, r *http.Request) (io.Reader, func(), error) {
	var plain io.ReadCloser
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
		return r.Body, func() {}, nil
	case "gzip":
		unzip, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, nil, errs.E("read request", errs.Invalid, err, "")
		}
		plain = unzip
	case "zstd":
		unzip, err := zstd.NewReader(r.Body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, nil, errs.E("read request", errs.Invalid, err, "")
		}
		plain = unzip.IOReadCloser()
	default:
		return nil, nil, errs.E("read request", errs.Invalid, fmt.Errorf("content encoding %q: %w", encoding, errNotRead), "send gzip, zstd or none")
	}
	return http.MaxBytesReader(w, plain, h.MaxLabels), func() { _ = plain.Close() }, nil
}
