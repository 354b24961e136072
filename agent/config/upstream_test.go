package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/config"
)

func TestUpstreamTLS(t *testing.T) {
	const head = "system: s\nmodels: [{name: m}]\n"
	for text, want := range map[string]string{
		"upstream: https://model\nupstream_tls: {ca_file: ca.pem, server_name: x}":          "",
		"upstream: https://model\nupstream_tls: {cert_file: a.pem, key_file: a.key}":        "",
		"upstream: https://model\nupstream_tls: {cert_file: a.pem}":                         "upstream_tls.key_file: missing",
		"upstream: https://model\nupstream_tls: {key_file: a.key}":                          "upstream_tls.cert_file: missing",
		"upstream: http://model\nupstream_tls: {ca_file: ca.pem}":                           "upstream_tls.ca_file: has no effect",
		"upstream: http://model\nupstream_tls: {server_name: x}":                            "upstream_tls.server_name: has no effect",
		"upstream: http://model\nupstream_tls: {cert_file: a.pem, key_file: a.key}":         "upstream_tls.cert_file: has no effect",
		"upstream: https://model\nupstream_tls: {ca: ca.pem}":                               "ca_file",
		"tap: {stall_timeout: 0s}":                                                          "tap.stall_timeout: must be above 0",
		"tap: {client_idle: -1s}":                                                           "tap.client_idle: must be above 0",
		"upstream: https://model\nupstream_tls: {insecure_skip_verify: true, ca_file: a.b}": "insecure_skip_verify",
	} {
		path := filepath.Join(t.TempDir(), "agent.yaml")
		if err := os.WriteFile(path, []byte(head+text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", text, err, want)
		case want == "" && c.UpstreamTLS.CAFile != "" && c.UpstreamTLS.CAFile != filepath.Join(filepath.Dir(path), "ca.pem"):
			t.Errorf("%s: ca_file is %s", text, c.UpstreamTLS.CAFile)
		}
	}
}
