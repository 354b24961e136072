package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// request is one OTLP request as the exporter made it. Its file is one line of
// JSON that says what follows, and then the body, byte for byte.
type request struct {
	Kind            Kind   `json:"-"`
	Path            string `json:"path"` // /v1/logs or /v1/metrics
	ContentType     string `json:"content_type"`
	ContentEncoding string `json:"content_encoding,omitempty"`
	Records         int64  `json:"records,omitempty"` // log records in it, where they are counted
	Length          int    `json:"length"`            // of the body
	Checksum        uint32 `json:"crc32c"`            // of the body
	Body            []byte `json:"-"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r *request) encode() []byte {
	r.Length, r.Checksum = len(r.Body), crc32.Checksum(r.Body, castagnoli)
	head, _ := json.Marshal(r) // strings and integers: cannot fail
	out := make([]byte, 0, len(head)+1+len(r.Body))
	out = append(out, head...)
	out = append(out, '\n')
	return append(out, r.Body...)
}

// decodeRequest reads what encode wrote; the error says what is damaged. The
// body is a part of raw.
func decodeRequest(k Kind, raw []byte) (*request, error) {
	head, body, found := bytes.Cut(raw, []byte{'\n'})
	if !found {
		return nil, errors.New("the first line is missing")
	}
	r := &request{Kind: k, Body: body}
	if err := json.Unmarshal(head, r); err != nil {
		return nil, fmt.Errorf("the first line is damaged: %w", err)
	}
	if len(body) != r.Length {
		return nil, fmt.Errorf("the body has %d bytes, %d were written", len(body), r.Length)
	}
	if sum := crc32.Checksum(body, castagnoli); sum != r.Checksum {
		return nil, fmt.Errorf("the body's checksum is %08x, %08x was written", sum, r.Checksum)
	}
	return r, nil
}
