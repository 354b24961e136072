package listen

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// TLS gives a server's configuration over a certificate and its key (PEM),
// whose changes are followed: a renewed certificate needs no restart. Two empty
// paths give nil: no TLS.
func TLS(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*tls.Config, error) {
	if certFile == "" && keyFile == "" {
		return nil, nil
	}
	if certFile == "" || keyFile == "" {
		return nil, errs.E("set up TLS", errs.Invalid, errors.New("one of certificate and key is missing"), "set both tls.cert_file and tls.key_file")
	}
	pair, err := follow(log, now, func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(certFile, keyFile)
		return &c, err
	}, certFile, keyFile)
	if err != nil {
		return nil, errs.E("set up TLS", errs.Invalid, err, "tls.cert_file and tls.key_file must be a PEM certificate and its key")
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil },
	}, nil
}
