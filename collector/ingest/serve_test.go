package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	grpcgzip "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/listen"
)

func TestGRPCRequestsReachTheSpoolAsTheyCame(t *testing.T) {
	s := serve(t, nil, nil)
	client := s.logsClient(t)
	req := oneLog("hello")
	resp, err := client.Export(context.Background(), req, grpc.UseCompressor(grpcgzip.Name))
	if err != nil || resp.PartialSuccess().RejectedLogRecords() != 0 {
		t.Fatalf("%+v, %v", resp, err)
	}
	got := s.spooled(t)
	if len(got) != 1 || !bytes.Equal(got[0].Body, bytesOf(t, req)) || got[0].Kind != spool.Logs {
		t.Errorf("spooled: %+v", got)
	}
	if n := s.metricValue(t, "evenkeel_ingest_records", "signal", "logs"); n != 1 {
		t.Errorf("evenkeel_ingest_records %v", n)
	}
}

func TestPartialSuccessNamesTheFault(t *testing.T) {
	s := serve(t, nil, nil)
	req, records := newLogs()
	lr := records.AppendEmpty()
	putWindow(lr, window(1))
	lr.Attributes().PutInt("evenkeel.n", 1)
	resp, err := s.logsClient(t).Export(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if p := resp.PartialSuccess(); p.RejectedLogRecords() != 1 || !strings.Contains(p.ErrorMessage(), "cells add up to 12") {
		t.Errorf("partial success: %d, %q", p.RejectedLogRecords(), p.ErrorMessage())
	}
	if len(s.spooled(t)) != 1 {
		t.Error("the request was not kept")
	}
	if n := s.metricValue(t, "evenkeel_ingest_refused", "reason", reasonWindow); n != 1 {
		t.Errorf("evenkeel_ingest_refused %v", n)
	}
}

func TestGarbageIsRefusedAndNeverSpooled(t *testing.T) {
	s := serve(t, nil, nil)
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var out []byte
	err = conn.Invoke(context.Background(), "/"+logsService+"/Export", []byte("\xff\xff\xff"), &out, grpc.ForceCodecV2(bytesCodec{}))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("gRPC: %v", err)
	}
	err = conn.Invoke(context.Background(), "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", []byte{}, &out, grpc.ForceCodecV2(bytesCodec{}))
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("profiles: %v", err)
	}
	for _, c := range []struct {
		path, kind, encoding, body string
		want                       int
	}{
		{"/v1/logs", typeProto, "", "\xff\xff\xff", 400},
		{"/v1/metrics", typeJSON, "", "{", 400},
		{"/v1/logs", typeProto, "gzip", "not gzip", 400},
		{"/v1/logs", typeProto, "zstd", "not zstd", 400},
		{"/v1/logs", typeProto, "br", "", 415},
		{"/v1/logs", "text/plain", "", "", 415},
		{"/v1development/profiles", typeProto, "", "", 404},
	} {
		resp := post(t, "http://"+s.HTTPAddr()+c.path, c.kind, c.encoding, []byte(c.body))
		if resp.status != c.want {
			t.Errorf("%+v: %d %q", c, resp.status, resp.body)
		}
	}
	if got := s.spooled(t); len(got) != 0 {
		t.Errorf("spooled: %+v", got)
	}
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func post(t testing.TB, url, kind, encoding string, body []byte, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, raw}
}

func zipped(t testing.TB, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHTTPTakesProtobufAndJSONPlainAndZipped(t *testing.T) {
	s := serve(t, nil, nil)
	req := oneLog("hello")
	raw := bytesOf(t, req)
	asJSON, err := req.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + s.HTTPAddr() + "/v1/logs"
	for i, r := range []reply{
		post(t, url, typeProto, "", raw, BatchHeader, "a/1"),
		post(t, url, typeProto, "gzip", zipped(t, raw), BatchHeader, "a/2"),
		post(t, url, typeJSON+"; charset=utf-8", "gzip", zipped(t, asJSON), BatchHeader, "a/3"),
	} {
		if r.status != 200 {
			t.Fatalf("request %d: %d %q", i, r.status, r.body)
		}
		out := plogotlp.NewExportResponse()
		read := out.UnmarshalProto
		if strings.HasPrefix(r.header.Get("Content-Type"), typeJSON) {
			read = out.UnmarshalJSON
		}
		if err := read(r.body); err != nil {
			t.Errorf("request %d: response %q: %v", i, r.body, err)
		}
	}
	got := s.spooled(t)
	if len(got) != 3 {
		t.Fatalf("%d records spooled", len(got))
	}
	for _, r := range got {
		if !bytes.Equal(r.Body, raw) {
			t.Errorf("spooled %x, want %x", r.Body, raw)
		}
	}
}

func TestARepeatedBatchIsAcknowledgedAndNotStoredAgain(t *testing.T) {
	s := serve(t, nil, nil)
	raw := bytesOf(t, oneLog("hello"))
	client := s.logsClient(t)
	ctx := metadata.AppendToOutgoingContext(context.Background(), BatchHeader, "agent/7")
	for range 2 {
		if _, err := client.Export(ctx, oneLog("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if r := post(t, "http://"+s.HTTPAddr()+"/v1/logs", typeProto, "", raw, BatchHeader, "agent/7"); r.status != 200 {
		t.Fatalf("%d %q", r.status, r.body)
	}
	if got := s.spooled(t); len(got) != 1 {
		t.Errorf("%d records spooled, want 1", len(got))
	}
}

func TestSizesAreBoundedBeforeAndAfterDecompression(t *testing.T) {
	s := serve(t, func(o *ServerOptions) { o.MaxRequest = 64 << 10 }, nil)
	big := bytesOf(t, oneLog(strings.Repeat("a", 100<<10)))
	url := "http://" + s.HTTPAddr() + "/v1/logs"
	for name, r := range map[string]reply{
		"plain":  post(t, url, typeProto, "", big),
		"zipped": post(t, url, typeProto, "gzip", zipped(t, big)),
	} {
		var st spb.Status
		if err := proto.Unmarshal(r.body, &st); r.status != http.StatusRequestEntityTooLarge || err != nil || !strings.Contains(st.Message, "max_request") {
			t.Errorf("%s: %d %q %v", name, r.status, r.body, err)
		}
	}
	client := s.logsClient(t)
	for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(grpcgzip.Name)}} {
		if _, err := client.Export(context.Background(), oneLog(strings.Repeat("a", 100<<10)), options...); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("gRPC: %v", err)
		}
	}
	if got := s.spooled(t); len(got) != 0 {
		t.Errorf("%d records spooled", len(got))
	}
}

func TestAFullSpoolIsARefusalThatSaysWhenToComeBack(t *testing.T) {
	s := serve(t, nil, func(o *spool.Options) { o.Max, o.RetryAfter = 10, 7*time.Second })
	_, err := s.logsClient(t).Export(context.Background(), oneLog("hello"))
	st := status.Convert(err)
	if st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 {
		t.Fatalf("gRPC: %v", err)
	}
	if info, ok := st.Details()[0].(*errdetails.RetryInfo); !ok || info.RetryDelay.AsDuration() != 7*time.Second {
		t.Errorf("retry info: %v", st.Details())
	}
	asJSON, err := oneLog("hello").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	r := post(t, "http://"+s.HTTPAddr()+"/v1/logs", typeJSON, "", asJSON)
	var body struct{ Message string }
	if err := json.Unmarshal(r.body, &body); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "7" || err != nil || body.Message == "" {
		t.Errorf("HTTP: %d %v %q %v", r.status, r.header, r.body, err)
	}
	if n := s.metricValue(t, "evenkeel_ingest_requests", "outcome", "full"); n != 2 {
		t.Errorf("counted %v", n)
	}
}

func TestTokensGuardBothTransports(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("# ours\nan-old-token-of-ours\na-secret-token-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := listen.OpenTokens(path, discard(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, func(o *ServerOptions) { o.Tokens = tokens }, nil)
	client := s.logsClient(t)
	url := "http://" + s.HTTPAddr() + "/v1/logs"
	for header, want := range map[string]bool{
		"": false, "Bearer wrong-token-wrong": false, "a-secret-token-1": false, "Basic a-secret-token-1": false, "Bearer a-secret-token-1": true,
	} {
		ctx := context.Background()
		if header != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", header)
		}
		_, err := client.Export(ctx, oneLog("grpc"))
		if want && err != nil || !want && status.Code(err) != codes.Unauthenticated {
			t.Errorf("gRPC, %q: %v", header, err)
		}
		r := post(t, url, typeProto, "", bytesOf(t, oneLog("http")), "Authorization", header)
		if want && r.status != 200 || !want && r.status != 401 {
			t.Errorf("HTTP, %q: %d %q", header, r.status, r.body)
		}
	}
	if got := s.spooled(t); len(got) != 2 {
		t.Errorf("%d records spooled, want 2", len(got))
	}
}

func TestAnAddressForOthersNeedsTokensAndTLS(t *testing.T) {
	sp := openSpool(t, t.TempDir(), nil)
	o := DefaultServerOptions()
	o.GRPC, o.HTTP, o.TLS = "0.0.0.0:0", "", &tls.Config{}
	if _, err := Listen(context.Background(), o, sp, nil); errs.KindOf(err) != errs.Denied {
		t.Errorf("TLS without tokens: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	o.GRPC, o.HTTP, o.TLS = "127.0.0.1:0", l.Addr().String(), nil
	if _, err := Listen(context.Background(), o, sp, nil); errs.KindOf(err) != errs.Conflict {
		t.Errorf("a port in use: %v", err)
	}
}

// TestStoppingFinishesRequestsUnderWay stops the server while it reads a body.
func TestStoppingFinishesRequestsUnderWay(t *testing.T) {
	s := serve(t, nil, nil)
	raw := bytesOf(t, oneLog("slow"))
	body, write := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.HTTPAddr()+"/v1/logs", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", typeProto)
	req.Header.Set("Expect", "100-continue") // the body is asked for by whoever reads it
	transport := &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Minute}
	result := make(chan int, 1)
	go func() {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			result <- 0
			return
		}
		_ = resp.Body.Close()
		result <- resp.StatusCode
	}()
	if _, err := write.Write(raw[:1]); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		s.stopServing()
		close(stopped)
	}()
	eventually(t, "no new connection is taken", func() bool {
		conn, err := net.Dial("tcp", s.HTTPAddr())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if _, err := write.Write(raw[1:]); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	if code := <-result; code != 200 {
		t.Errorf("status %d", code)
	}
	<-stopped
	if got := s.spooled(t); len(got) != 1 {
		t.Errorf("%d records spooled", len(got))
	}
}

func TestBothTransportsSpeakTLS(t *testing.T) {
	identity := httptest.NewUnstartedServer(nil) // for its certificate
	identity.StartTLS()
	defer identity.Close()
	roots := x509.NewCertPool()
	roots.AddCert(identity.Certificate())
	s := serve(t, func(o *ServerOptions) { o.TLS = &tls.Config{Certificates: identity.TLS.Certificates} }, nil)

	trust := &tls.Config{RootCAs: roots, ServerName: "example.com"}
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(credentials.NewTLS(trust)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := plogotlp.NewGRPCClient(conn).Export(context.Background(), oneLog("grpc")); err != nil {
		t.Errorf("gRPC: %v", err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, DisableKeepAlives: true}}
	resp, err := client.Post("https://"+s.HTTPAddr()+"/v1/logs", typeProto, bytes.NewReader(bytesOf(t, oneLog("http"))))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("HTTP: %d", resp.StatusCode)
	}
	if r := post(t, "http://"+s.HTTPAddr()+"/v1/logs", typeProto, "", nil); r.status == 200 {
		t.Error("plain text was taken")
	}
	if got := s.spooled(t); len(got) != 2 {
		t.Errorf("%d records spooled", len(got))
	}
}
