package export

import (
	"fmt"
	"io"
	"net/http"
)

// spoolTransport is the HTTP transport of the OTLP exporters. A round trip
// ends when the request is durable in the spool.
type spoolTransport struct {
	spool *spool
	kind  Kind
}

// recordsKey is the key of the context under which an export says how many
// records its request holds.
type recordsKey struct{}

// spoolEndpoint stands for the spool in the exporters' options. It is never
// dialled; https keeps TLS settings in the environment from being an error.
const spoolEndpoint = "https://spool.invalid"

// RoundTrip appends the request and answers 200 with an empty body.
func (t spoolTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	closeErr := req.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("read the exporter's request: %w", err)
	}
	if closeErr != nil {
		return nil, fmt.Errorf("close the exporter's request: %w", closeErr)
	}
	records, _ := req.Context().Value(recordsKey{}).(int64) // 0: not counted
	err = t.spool.Append(&request{
		Kind: t.kind, Path: req.URL.Path, Body: body, Records: records,
		ContentType:     req.Header.Get("Content-Type"),
		ContentEncoding: req.Header.Get("Content-Encoding"),
	})
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req,
	}, nil
}
