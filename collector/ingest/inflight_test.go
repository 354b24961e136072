package ingest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/evenkeel/evenkeel/internal/errs"
)

func TestBytesUnderWayAreBounded(t *testing.T) {
	f := newInflight(100, time.Nanosecond)
	ctx := t.Context()
	first, err := f.enter(ctx, 1000) // more than all: it gets all
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.enter(ctx, 1); errs.KindOf(err) != errs.Exhausted || !errors.Is(err, errBusy) {
		t.Errorf("a second one: %v", err)
	}
	first.shrink(60)
	second, err := f.enter(ctx, 40)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.enter(gone, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("one that went away: %v", err)
	}
	second.shrink(90) // it never grows
	first.leave()
	second.leave()
	if all, err := f.enter(ctx, 100); err != nil {
		t.Errorf("not all was given back: %v", err)
	} else {
		all.leave()
	}
}

// TestARequestWaitsBeforeItIsRead lets a slow request hold all the bytes there
// are: others are told to come again, over both transports, and are taken when
// it is gone.
func TestARequestWaitsBeforeItIsRead(t *testing.T) {
	s := serve(t, func(o *ServerOptions) { o.MaxInflight, o.MaxRequest, o.AdmitWait = 1<<20, 1<<20, time.Millisecond }, nil)
	body, write := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.HTTPAddr()+"/v1/logs", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", typeProto)
	slow := make(chan error, 1)
	go func() {
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		slow <- err
	}()
	raw := bytesOf(t, oneLog("slow"))
	if _, err := write.Write(raw[:1]); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the slow request holds everything", func() bool {
		free := s.in.inflight.bytes.TryAcquire(1)
		if free {
			s.in.inflight.bytes.Release(1)
		}
		return !free
	})

	client := s.logsClient(t)
	_, err = client.Export(context.Background(), oneLog("grpc"))
	st := status.Convert(err)
	if st.Code() != codes.ResourceExhausted || len(st.Details()) != 1 {
		t.Fatalf("gRPC: %v", err)
	}
	if info, ok := st.Details()[0].(*errdetails.RetryInfo); !ok || info.RetryDelay.AsDuration() != time.Second {
		t.Errorf("retry info: %v", st.Details())
	}
	if r := post(t, "http://"+s.HTTPAddr()+"/v1/logs", typeProto, "", raw); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
		t.Errorf("HTTP: %d %v", r.status, r.header)
	}
	if n := s.metricValue(t, "evenkeel_ingest_requests", "outcome", "busy"); n != 2 {
		t.Errorf("counted %v", n)
	}
	if _, err := write.Write(raw[1:]); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	if err := <-slow; err != nil {
		t.Error(err)
	}
	if _, err := client.Export(context.Background(), oneLog("grpc")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if got := s.spooled(t); len(got) != 2 {
		t.Errorf("%d records spooled", len(got))
	}
}

// TestAMessageThatNeverComesGivesItsRoomBack opens a stream and sends nothing.
func TestAMessageThatNeverComesGivesItsRoomBack(t *testing.T) {
	s := serve(t, func(o *ServerOptions) { o.MaxInflight, o.MaxRequest, o.ReadTimeout = 1<<20, 1<<20, 50*time.Millisecond }, nil)
	stream, err := s.connect(t).NewStream(t.Context(), exportStream, "/"+logsService+"/Export")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.RecvMsg(new([]byte)); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, err := plogotlp.NewGRPCClient(s.connect(t)).Export(t.Context(), oneLog("after it")); err != nil {
		t.Error(err)
	}
}
