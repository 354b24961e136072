package tap

import (
	"log/slog"
	"net/http"
	"time"
)

// maxStreams bounds the requests at once on one HTTP/2 connection. gRPC clients
// put all of theirs on one, model servers take as many as come, and Go's 250
// would make the others wait.
const maxStreams = 1 << 16

// defaultClientIdle is how long a client's connection is kept without a request.
const defaultClientIdle = 10 * time.Minute

// NewServer makes the HTTP server for the inference port: HTTP/1.1 and HTTP/2
// without TLS (h2c, which gRPC uses) on one port. headerTimeout bounds how long
// a client may take to send its headers; 0: 30s. Bodies and answers have no
// limit, since inference may take long. A connection without a request is kept
// for 10m: longer than the pools of most clients keep theirs.
func NewServer(h http.Handler, headerTimeout time.Duration, log *slog.Logger) *http.Server {
	if headerTimeout == 0 {
		headerTimeout = 30 * time.Second
	}
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           h,
		Protocols:         &p,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       defaultClientIdle,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
