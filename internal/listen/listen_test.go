package listen

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestOnlyLoopbackWithoutAuthentication(t *testing.T) {
	for addr, want := range map[string]errs.Kind{
		"127.0.0.1:4318": errs.Other, "127.9.9.9:1": errs.Other, "localhost:4318": errs.Other, "[::1]:4318": errs.Other, "[::ffff:127.0.0.1]:1": errs.Other,
		":4318": errs.Denied, "0.0.0.0:4318": errs.Denied, "[::]:4318": errs.Denied, "10.0.0.1:4318": errs.Denied, "example.org:4318": errs.Denied,
		"4318": errs.Invalid, "": errs.Invalid,
	} {
		err := Check(addr, false)
		if errs.KindOf(err) != want || (err == nil) != (want == errs.Other) {
			t.Errorf("Check(%q): %v", addr, err)
		}
		if want == errs.Denied {
			if !strings.Contains(err.Error(), "auth.token_file") {
				t.Errorf("Check(%q) names no cure: %v", addr, err)
			}
			if err := Check(addr, true); err != nil {
				t.Errorf("Check(%q) with authentication: %v", addr, err)
			}
		}
	}
}

func TestAPortInUseNamesTheCure(t *testing.T) {
	l, err := TCP(context.Background(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, err = TCP(context.Background(), l.Addr().String())
	if errs.KindOf(err) != errs.Conflict || !strings.Contains(err.Error(), "the port is in use; stop the other program") {
		t.Errorf("%v", err)
	}
}

// clock is moved by hand.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTokensFollowTheirFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	var out bytes.Buffer
	c := &clock{time.Unix(0, 0)}
	write(t, path, "# agents\n\nfirst-token-of-all\n  second-token-of-all  \n")
	tokens, err := OpenTokens(path, slog.New(slog.NewTextHandler(&out, nil)), c.now)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(header string, want bool) {
		t.Helper()
		if got := tokens.Allow(header); got != want {
			t.Errorf("Allow(%q) = %t", header, got)
		}
	}
	expect("Bearer first-token-of-all", true)
	expect("bearer second-token-of-all", true)
	expect("Bearer # agents", false)
	expect("Basic first-token-of-all", false)
	expect("first-token-of-all", false)
	expect("Bearer ", false)
	expect("", false)

	write(t, path, "third-token-of-them-all\n")
	expect("Bearer first-token-of-all", true) // not looked at again yet
	c.t = c.t.Add(2 * time.Second)
	expect("Bearer first-token-of-all", false)
	expect("Bearer third-token-of-them-all", true)

	write(t, path, "short\n")
	c.t = c.t.Add(2 * time.Second)
	expect("Bearer third-token-of-them-all", true) // a bad file changes nothing
	if log := out.String(); !strings.Contains(log, "too short") || strings.Contains(log, "third-token") {
		t.Errorf("log: %s", log)
	}
}

func TestATokenFileMustHoldTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	for _, content := range []string{"", "# nothing\n", "short\n"} {
		write(t, path, content)
		if _, err := OpenTokens(path, slog.New(slog.DiscardHandler), time.Now); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%q: %v", content, err)
		}
	}
	if tokens, err := OpenTokens("", nil, time.Now); tokens != nil || err != nil || !tokens.Allow("") {
		t.Errorf("without a file everybody is let in: %v", err)
	}
}

// certificate writes a self-signed pair with the given serial number.
func certificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}

func TestARenewedCertificateNeedsNoRestart(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	c := &clock{time.Unix(0, 0)}
	log := slog.New(slog.DiscardHandler)
	certificate(t, certFile, keyFile, 1)
	config, err := TLS(certFile, keyFile, log, c.now)
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		pair, err := config.GetCertificate(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return cert.SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	certificate(t, certFile, keyFile, 2)
	c.t = c.t.Add(2 * time.Second)
	if got := serial(); got != 2 {
		t.Errorf("after the renewal: serial %d", got)
	}
	if _, err := TLS(certFile, "", log, c.now); errs.KindOf(err) != errs.Invalid {
		t.Errorf("a certificate without its key: %v", err)
	}
	if config, err := TLS("", "", log, c.now); config != nil || err != nil {
		t.Errorf("no files: %v, %v", config, err)
	}
}
