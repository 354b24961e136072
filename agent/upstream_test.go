package agent_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
)

// authority signs certificates, as a private one does.
type authority struct {
	t      testing.TB
	folder string
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t, folder: t.TempDir()}
	a.cert, a.key = a.sign("authority", true)
	return a
}

// path is where a certificate (.pem) or its key (.key) lies.
func (a *authority) path(file string) string { return filepath.Join(a.folder, file) }

// sign makes a certificate for a name, and writes it with its key.
func (a *authority) sign(name string, isAuthority bool) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: isAuthority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	signer, signerKey := template, key
	if a.cert != nil {
		signer, signerKey = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, &key.PublicKey, signerKey)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(a.path(file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return cert, key
}

// serverTLS asks every client for a certificate of the authority.
func (a *authority) serverTLS(name string) *tls.Config {
	a.sign(name, false)
	pair, err := tls.LoadX509KeyPair(a.path(name+".pem"), a.path(name+".key"))
	if err != nil {
		a.t.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	return &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}
}

// settings are those of an agent whose certificate the authority has signed.
func (a *authority) settings(server string) agentconfig.UpstreamTLS {
	a.sign("agent", false)
	return agentconfig.UpstreamTLS{
		CAFile: a.path("authority.pem"), ServerName: server, CertFile: a.path("agent.pem"), KeyFile: a.path("agent.key"),
	}
}

// REST over TLS on both sides' terms: a private authority, a name that is not
// the address, a certificate of ours. What is counted is what passed.
func TestUpstreamOverTLS(t *testing.T) {
	ca := newAuthority(t)
	receiver := otlptest.Start(t, nil)
	plain := startModelServer(t, approve)
	secured := httptest.NewUnstartedServer(plain.Config.Handler)
	secured.TLS = ca.serverTLS("model.internal")
	secured.StartTLS()
	t.Cleanup(secured.Close)
	c := loanConfig(t, secured.URL, receiver.URL())
	c.UpstreamTLS = ca.settings("model.internal")
	a := startAgent(t, c, nil)
	serveLoans(t, a, plain, 0, 10)
	otlptest.Eventually(t, "a window", func() bool { return len(incomes(profiles(t, receiver))) == 1 })
	if d := incomes(profiles(t, receiver))[0]; d.N != 100 || d.Capture.Profiled != 10 {
		t.Errorf("%d rows, %+v", d.N, d.Capture)
	}
	if status, body := get(t, a, "/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %s", body)
	}
}

// gRPC over the same kind of TLS.
func TestCallsOverTLS(t *testing.T) {
	ca := newAuthority(t)
	receiver := otlptest.Start(t, nil)
	server := ca.serverTLS("model.internal")
	address := grpctest.Serve(t, map[string]grpctest.Handler{
		grpctest.Infer: {Request: "inference.ModelInferRequest", Answer: func(context.Context, *dynamicpb.Message) (*dynamicpb.Message, error) {
			return grpctest.Message("inference.ModelInferResponse", inferAnswer), nil
		}},
	}, grpc.Creds(credentials.NewTLS(server)))
	c := loanConfig(t, "https://"+address, receiver.URL())
	c.Models[0].Protected, c.Window.Count = nil, 20
	c.Models[0].Baseline, c.Models[0].Outcome = writeBaseline(t, loanBaseline()), agentconfig.Outcome{}
	c.UpstreamTLS = ca.settings("model.internal")
	a := startAgent(t, c, nil)
	conn := grpctest.Dial(t, a.Addr())
	for range 10 {
		out := grpctest.Empty("inference.ModelInferResponse")
		if err := conn.Invoke(t.Context(), grpctest.Infer, inferMessage("loans", ""), out); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(out, grpctest.Message("inference.ModelInferResponse", inferAnswer)) {
			t.Errorf("answered %v", out)
		}
	}
	otlptest.Eventually(t, "a window", func() bool { return len(incomes(profiles(t, receiver))) == 1 })
	if d := incomes(profiles(t, receiver))[0]; d.N != 20 || d.Capture.Profiled != 10 {
		t.Errorf("%d rows, %+v", d.N, d.Capture)
	}
}

// Whom the agent does not trust, or is not trusted by, gets no request, and the
// client is told why.
func TestUpstreamOverTLSThatIsNotTrusted(t *testing.T) {
	ca := newAuthority(t)
	served := false
	secured := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }))
	secured.TLS = ca.serverTLS("model.internal")
	secured.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	secured.StartTLS()
	t.Cleanup(secured.Close)
	other := newAuthority(t)
	trusted := ca.settings("model.internal")
	for want, change := range map[string]func(*agentconfig.UpstreamTLS){
		"unknown authority": func(s *agentconfig.UpstreamTLS) { s.CAFile = other.path("authority.pem") },
		"other.internal":    func(s *agentconfig.UpstreamTLS) { s.ServerName = "other.internal" },
		"tls:":              func(s *agentconfig.UpstreamTLS) { s.CertFile, s.KeyFile = "", "" },
	} {
		c := loanConfig(t, secured.URL, "http://127.0.0.1:1")
		c.UpstreamTLS = trusted
		change(&c.UpstreamTLS)
		a := startAgent(t, c, nil)
		status, answer := infer(t, "http://"+a.Addr(), "loans", loanRequest(t, 0))
		if status != http.StatusBadGateway || !strings.Contains(string(answer), want) {
			t.Errorf("%d %s, want %s", status, answer, want)
		}
		stopAgent(t, a)
	}
	if served {
		t.Error("the model server got a request")
	}
	for want, change := range map[string]func(*agentconfig.UpstreamTLS){
		"ca_file: ": func(s *agentconfig.UpstreamTLS) { s.CAFile = ca.path("authority.key") },
		"key_file":  func(s *agentconfig.UpstreamTLS) { s.KeyFile = ca.path("authority.key") },
	} {
		c := loanConfig(t, secured.URL, "http://127.0.0.1:1")
		c.UpstreamTLS = trusted
		change(&c.UpstreamTLS)
		if _, err := agent.Start(context.Background(), c, slog.New(slog.NewTextHandler(io.Discard, nil))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
