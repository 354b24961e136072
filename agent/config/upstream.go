package config

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// UpstreamTLS is the trust between the agent and an https upstream.
type UpstreamTLS struct {
	CAFile     string `yaml:"ca_file"`     // PEM of the authorities that sign the model server's certificate; empty: the machine's certificate store
	ServerName string `yaml:"server_name"` // whom the certificate must name; empty: the upstream's host
	CertFile   string `yaml:"cert_file"`   // PEM of our certificate, with those between it and the authority; empty: none is shown
	KeyFile    string `yaml:"key_file"`    // PEM of its key
}

func (t *UpstreamTLS) paths() []*string { return []*string{&t.CAFile, &t.CertFile, &t.KeyFile} }

// validate reports what has no effect, and half a pair.
func (t *UpstreamTLS) validate(f *config.Faults, upstream string) {
	given := map[string]string{"ca_file": t.CAFile, "server_name": t.ServerName, "cert_file": t.CertFile, "key_file": t.KeyFile}
	for _, key := range []string{"ca_file", "server_name", "cert_file", "key_file"} {
		if given[key] != "" && !strings.HasPrefix(upstream, "https:") {
			f.At(key).Add("has no effect on %s; use an https upstream", upstream)
		}
	}
	for key, other := range map[string]string{"cert_file": "key_file", "key_file": "cert_file"} {
		if given[key] == "" && given[other] != "" {
			f.At(key).Add("missing; %s is of no use without it", other)
		}
	}
}

// defaultTap gives the bounds of an empty file. The model server's and the
// client's are longer than any that answer or ask.
func defaultTap() Tap {
	return Tap{
		MaxBody: 4 << 20, Queue: 64 << 20,
		IdleTimeout:  config.Duration(time.Second),
		StallTimeout: config.Duration(5 * time.Minute),
		ClientIdle:   config.Duration(10 * time.Minute),
	}
}
