package tap

import (
	"log/slog"
	"net/http"
	"time"
)

// NewServer makes the HTTP server for the inference port: HTTP/1.1 and HTTP/2
// without TLS (h2c, which gRPC uses) on one port. headerTimeout bounds how long
// a client may take to send its headers; 0: 30s. Bodies and answers have no
// limit, since inference may take long.
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
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
