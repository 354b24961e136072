package journal

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

const maxBody = 64 << 20

// Proxy passes OTLP/HTTP requests on to the collector as they came and writes
// the acknowledged window events down before the sender hears of it.
type Proxy struct {
	target  *url.URL
	client  *http.Client
	journal *Journal
	log     *slog.Logger
}

// NewProxy stands before the collector at target, for example
// http://127.0.0.1:4318.
func NewProxy(target string, j *Journal, log *slog.Logger) (*Proxy, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("journal's target: %w", err)
	}
	// The transport must not inflate or deflate anything on the way.
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4}
	return &Proxy{target: u, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}, journal: j, log: log}, nil
}

// Close gives up idle connections.
func (p *Proxy) Close() { p.client.CloseIdleConnections() }

// ServeHTTP implements http.Handler. A collector that cannot be reached is
// answered 503, which senders take as "again later".
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "read request: "+err.Error(), http.StatusBadRequest)
		return
	}
	resp, answer, err := p.forward(r, body)
	if err != nil {
		p.log.Debug("the collector is not there", "error", err)
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if resp.StatusCode == http.StatusOK && strings.HasSuffix(r.URL.Path, "/v1/logs") {
		if err := p.noteAcknowledged(r, body, answer); err != nil {
			p.log.Error("acknowledged, but not readable for the journal", "error", err)
		}
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer) // the sender went away: it will send again
}

func (p *Proxy) forward(r *http.Request, body []byte) (*http.Response, []byte, error) {
	u := *p.target
	u.Path = strings.TrimSuffix(u.Path, "/") + r.URL.Path
	out, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, fmt.Errorf("pass on: %w", err)
	}
	out.Header = r.Header.Clone()
	resp, err := p.client.Do(out)
	if err != nil {
		return nil, nil, fmt.Errorf("pass on: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("pass back: %w", err)
	}
	return resp, answer, nil
}

// noteAcknowledged reads what was sent and what was answered. A request that
// was taken in part is not written down at all: nobody knows which part.
func (p *Proxy) noteAcknowledged(r *http.Request, body, answer []byte) error {
	if r.Header.Get("Content-Encoding") == "gzip" {
		inflated, err := gunzip(body)
		if err != nil {
			return err
		}
		body = inflated
	}
	request, response := plogotlp.NewExportRequest(), plogotlp.NewExportResponse()
	readRequest, readResponse := request.UnmarshalProto, response.UnmarshalProto
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		readRequest, readResponse = request.UnmarshalJSON, response.UnmarshalJSON
	}
	if err := readResponse(answer); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	if n := response.PartialSuccess().RejectedLogRecords(); n > 0 {
		return fmt.Errorf("%d records rejected: %s", n, response.PartialSuccess().ErrorMessage())
	}
	if err := readRequest(body); err != nil {
		return fmt.Errorf("decode request: %w", err)
	}
	return p.journal.note(request)
}

func gunzip(body []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("inflate request: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxBody))
	if err != nil {
		return nil, fmt.Errorf("inflate request: %w", err)
	}
	return raw, nil
}
