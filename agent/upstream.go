package agent

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// upstreamTLS reads what an https upstream is trusted by, and our own
// certificate, which is read again for every connection: those are renewed often.
func upstreamTLS(c *agentconfig.UpstreamTLS) (*tls.Config, error) {
	out := &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, errs.E("read upstream_tls.ca_file", errs.Invalid, err, "")
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errs.E("read upstream_tls.ca_file", errs.Invalid,
				fmt.Errorf("%s holds no certificate", c.CAFile), "give the PEM file of the authority that signed the model server's certificate")
		}
	}
	if c.CertFile == "" {
		return out, nil
	}
	if _, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile); err != nil {
		return nil, errs.E("read upstream_tls.cert_file and key_file", errs.Invalid, err, "give a certificate and its key, both as PEM")
	}
	out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("our certificate: %w", err)
		}
		return &pair, nil
	}
	return out, nil
}
