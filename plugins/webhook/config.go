package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// config is what the collector's configuration says under plugins[].config.
type config struct {
	URL          string `json:"url"`
	SecretFile   string `json:"secret_file"`
	Timeout      string `json:"timeout"`
	AllowPrivate bool   `json:"allow_private"`

	url     *url.URL
	secret  []byte // nil: bodies are not signed
	timeout time.Duration
}

// maxSecret bounds what is read from secret_file.
const maxSecret = 4096

// parseConfig reads the configuration strictly and reads the secret.
func parseConfig(raw []byte) (*config, error) {
	c := &config{Timeout: "10s"}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("webhook configuration: %w; known keys: url, secret_file, timeout, allow_private", err)
	}
	var err error
	if c.url, err = parseURL(c.URL, c.AllowPrivate); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if c.timeout, err = time.ParseDuration(c.Timeout); err != nil || c.timeout <= 0 {
		return nil, fmt.Errorf("timeout: %q is not a positive duration; write for example 10s", c.Timeout)
	}
	if c.SecretFile == "" {
		return c, nil
	}
	secret, err := os.ReadFile(c.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("secret_file: %w", err)
	}
	c.secret = bytes.TrimSpace(secret)
	if len(c.secret) == 0 || len(c.secret) > maxSecret {
		return nil, fmt.Errorf("secret_file: %s holds %d bytes; want 1 to %d", c.SecretFile, len(c.secret), maxSecret)
	}
	return c, nil
}

func parseURL(text string, allowPrivate bool) (*url.URL, error) {
	if text == "" {
		return nil, fmt.Errorf("missing; where shall the events go?")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("not a URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q: want http:// or https:// and a host", u.Redacted())
	}
	// Names are checked when they are resolved; an address can be told now.
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && !allowPrivate {
		if err := guard(netip.AddrPortFrom(addr, 443).String()); err != nil {
			return nil, fmt.Errorf("%s: %w", u.Hostname(), err)
		}
	}
	return u, nil
}
