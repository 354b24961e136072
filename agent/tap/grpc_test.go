package tap_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/wire/grpctest"
)

// callHarness is a tap in front of a gRPC server of one method, wanted as
// "loans", by the message or by the path.
func callHarness(t *testing.T, h grpctest.Handler, change func(*tap.Options)) (*harness, *grpc.ClientConn) {
	address := grpctest.Serve(t, map[string]grpctest.Handler{grpctest.Infer: h}, grpc.MaxRecvMsgSize(1<<30), grpc.MaxSendMsgSize(1<<30))
	return callHarnessAt(t, &url.URL{Scheme: "http", Host: address}, change)
}

func callHarnessAt(t *testing.T, upstream *url.URL, change func(*tap.Options)) (*harness, *grpc.ClientConn) {
	g := newHarness(t, upstream, func(o *tap.Options) {
		o.Wanted = func(r *http.Request) (string, bool) { return "loans", r.URL.Path == grpctest.Infer }
		if change != nil {
			change(o)
		}
	})
	return g, grpctest.Dial(t, strings.TrimPrefix(g.url, "http://"))
}

// back answers what was asked, under the name of the answer's field.
func back(_ context.Context, in *dynamicpb.Message) (*dynamicpb.Message, error) {
	out := grpctest.Empty("inference.ModelInferResponse")
	id := in.Get(in.Descriptor().Fields().ByName("id"))
	out.Set(out.Descriptor().Fields().ByName("id"), id)
	if code, bad := strings.CutPrefix(id.String(), "fail "); bad {
		var c codes.Code
		if err := c.UnmarshalJSON([]byte(code)); err != nil {
			return nil, err
		}
		return nil, status.Error(c, "as you asked")
	}
	return out, nil
}

var inferHandler = grpctest.Handler{Request: "inference.ModelInferRequest", Answer: back}

func idMessage(id string) *dynamicpb.Message {
	return grpctest.Message("inference.ModelInferRequest", fmt.Sprintf(`{"modelName":"loans","id":%q}`, id))
}

// finished tells outcomes to a channel.
func finished(to chan<- tap.Outcome) func(string, tap.Outcome, time.Duration) {
	return func(_ string, o tap.Outcome, _ time.Duration) { to <- o }
}

func invoke(t *testing.T, c *grpc.ClientConn, id string, options ...grpc.CallOption) error {
	t.Helper()
	out := grpctest.Empty("inference.ModelInferResponse")
	err := c.Invoke(t.Context(), grpctest.Infer, idMessage(id), out, options...)
	if got := out.Get(out.Descriptor().Fields().ByName("id")).String(); err == nil && got != id {
		t.Errorf("%q came back as %q", id, got)
	}
	return err
}

// Copies of calls are their bodies as they passed, and say how the messages are
// compressed.
func TestCallsAreCopied(t *testing.T) {
	h, c := callHarness(t, inferHandler, nil)
	copied := make(chan tap.Exchange, 1)
	h.drain(func(x *tap.Exchange) {
		y := *x
		y.Request.Body, y.Response.Body = []byte(string(x.Request.Body)), []byte(string(x.Response.Body))
		copied <- y
	})
	want := grpctest.Message("inference.ModelInferResponse", `{"id":"q"}`)
	for _, compressed := range []bool{false, true} {
		var options []grpc.CallOption
		encoding := ""
		if compressed {
			options, encoding = append(options, grpc.UseCompressor(gzip.Name)), "gzip"
		}
		if err := invoke(t, c, "q", options...); err != nil {
			t.Fatal(err)
		}
		x := <-copied
		if x.Status != 200 || x.Model != "loans" || x.Request.ContentEncoding != encoding || len(x.Request.Body) < 6 || x.Request.Body[0] == 1 != compressed {
			t.Errorf("%+v", x)
		}
		if !compressed && string(x.Response.Body) != string(grpctest.Frame(grpctest.Bytes(want), false)) {
			t.Errorf("answer %x", x.Response.Body)
		}
	}
	if got := h.idle(2); got.Captured != 2 {
		t.Errorf("%+v", got)
	}
}

// A call that fails counts by its status, which stands in the trailers.
func TestStatusOfACallIsTheOutcome(t *testing.T) {
	outcomes := make(chan tap.Outcome, 1)
	h, c := callHarness(t, inferHandler, func(o *tap.Options) {
		o.Finished = finished(outcomes)
	})
	statuses := make(chan int, 1)
	h.drain(func(x *tap.Exchange) { statuses <- x.Status })
	for i, want := range []struct {
		code    codes.Code
		status  int
		outcome tap.Outcome
	}{
		{codes.OK, 200, tap.OK},
		{codes.InvalidArgument, 400, tap.ClientError},
		{codes.NotFound, 404, tap.ClientError},
		{codes.ResourceExhausted, 429, tap.ClientError},
		{codes.Unauthenticated, 401, tap.ClientError},
		{codes.Internal, 500, tap.ServerError},
		{codes.Unavailable, 503, tap.ServerError},
		{codes.Unimplemented, 501, tap.ServerError},
		{codes.DeadlineExceeded, 504, tap.ServerError},
		{codes.Unknown, 500, tap.ServerError},
	} {
		id := "q"
		if want.code != codes.OK {
			id = fmt.Sprintf("fail %d", want.code)
		}
		if err := invoke(t, c, id); status.Code(err) != want.code {
			t.Errorf("%s: the client got %v", want.code, err)
		}
		if s, o := <-statuses, <-outcomes; s != want.status || o != want.outcome {
			t.Errorf("%s: status %d, outcome %s", want.code, s, o)
		}
		if got := h.idle(uint64(i + 1)); got.Failed != uint64(i) {
			t.Errorf("%+v", got)
		}
	}
}

// Metadata passes both ways, and so does what the server says before and behind
// its messages, message by message.
func TestStreamsPassMessageByMessage(t *testing.T) {
	h, c := callHarness(t, grpctest.Handler{Stream: func(s grpc.ServerStream) error {
		in, _ := metadata.FromIncomingContext(s.Context())
		if err := s.SendHeader(metadata.Pairs("first", strings.Join(in.Get("asked"), ""), "raw-bin", "\x00\xff")); err != nil {
			return err
		}
		s.SetTrailer(metadata.Pairs("last", "word"))
		for {
			m := grpctest.Empty("inference.ModelInferRequest")
			if err := s.RecvMsg(m); errors.Is(err, io.EOF) {
				return status.Error(codes.DataLoss, "enough: ü%")
			} else if err != nil {
				return err
			}
			if err := s.SendMsg(m); err != nil {
				return err
			}
		}
	}}, nil)
	h.drain(func(*tap.Exchange) { t.Error("a stream was copied") })
	ctx := metadata.AppendToOutgoingContext(t.Context(), "asked", "so")
	s, err := c.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, grpctest.Infer)
	if err != nil {
		t.Fatal(err)
	}
	// The headers come before any message does.
	if head, err := s.Header(); err != nil || head.Get("first")[0] != "so" || head.Get("raw-bin")[0] != "\x00\xff" {
		t.Fatalf("%v, %v", head, err)
	}
	out := grpctest.Empty("inference.ModelInferRequest")
	for range 5 {
		if err := errors.Join(s.SendMsg(idMessage("a")), s.RecvMsg(out)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.CloseSend(), s.RecvMsg(out)); status.Code(err) != codes.DataLoss || !strings.Contains(err.Error(), "enough: ü%") {
		t.Errorf("ends with %v", err)
	}
	if got := s.Trailer().Get("last"); len(got) != 1 || got[0] != "word" {
		t.Errorf("trailers %v", s.Trailer())
	}
	if got := h.idle(1); got.Streamed != 1 {
		t.Errorf("%+v", got)
	}
}

// Whose decides by the beginning of the message, and what it does not want is
// not counted.
func TestTheMessageNamesTheModel(t *testing.T) {
	h, c := callHarness(t, inferHandler, func(o *tap.Options) {
		o.MaxBody = 64
		o.Wanted = func(r *http.Request) (string, bool) { return "", r.URL.Path == grpctest.Infer }
		o.Whose = func(path, encoding string, beginning []byte) (string, bool) {
			if path != grpctest.Infer || encoding != "" || len(beginning) > 1<<10 {
				t.Errorf("asked with %s, %q, %d bytes", path, encoding, len(beginning))
			}
			if strings.Contains(string(beginning), "panic") {
				panic("whose")
			}
			return "loans", strings.Contains(string(beginning), "mine")
		}
	})
	h.drain(func(x *tap.Exchange) {
		if x.Model != "loans" {
			t.Errorf("of %q", x.Model)
		}
	})
	for _, id := range []string{"mine", "theirs", "mine" + strings.Repeat("x", 5000), "panic"} {
		if err := invoke(t, c, id); err != nil {
			t.Errorf("%.10s: %v", id, err)
		}
	}
	until(t, "all calls to end", func() bool {
		n := h.tap.Counts("loans")
		return n.Seen == 2 && n.Captured == 1 && n.TooLarge == 1 && h.tap.Stats().Panics == 1 && h.tap.Stats().Held == 0
	})
}

// Where the model server is away the client gets a status that it understands.
func TestACallToAModelServerThatIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	outcomes := make(chan tap.Outcome, 1)
	h, c := callHarnessAt(t, &url.URL{Scheme: "http", Host: address}, func(o *tap.Options) { o.Finished = finished(outcomes) })
	h.drain(func(*tap.Exchange) {})
	err = invoke(t, c, "q")
	if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "gave no answer: ") {
		t.Errorf("%v", err)
	}
	if o := <-outcomes; o != tap.Unreachable {
		t.Errorf("outcome %s", o)
	}
}

// A client that gives up ends the call at the model server, too.
func TestACallThatIsGivenUp(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	h, c := callHarness(t, grpctest.Handler{Request: "inference.ModelInferRequest", Answer: func(ctx context.Context, _ *dynamicpb.Message) (*dynamicpb.Message, error) {
		close(begun)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}}, nil)
	h.drain(func(*tap.Exchange) {})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- c.Invoke(ctx, grpctest.Infer, idMessage("q"), grpctest.Empty("inference.ModelInferResponse"))
	}()
	<-begun
	cancel()
	if err := <-done; status.Code(err) != codes.Canceled {
		t.Errorf("%v", err)
	}
	<-ended
	if got := h.idle(1); got.Aborted != 1 {
		t.Errorf("%+v", got)
	}
}

// One connection carries as many calls at once as the model server takes: more
// than the 250 that Go's server allows unless it is told otherwise.
func TestManyCallsAtOnceOnOneConnection(t *testing.T) {
	const calls = 400
	arrived, all := make(chan struct{}, calls), make(chan struct{})
	h, c := callHarness(t, grpctest.Handler{Request: "inference.ModelInferRequest", Answer: func(ctx context.Context, in *dynamicpb.Message) (*dynamicpb.Message, error) {
		arrived <- struct{}{}
		select {
		case <-all:
		case <-ctx.Done():
		}
		return back(ctx, in)
	}}, nil)
	h.drain(func(*tap.Exchange) {})
	errs := make(chan error, calls)
	for range calls {
		go func() { errs <- invoke(t, c, "q") }()
	}
	for range calls {
		<-arrived
	}
	close(all)
	for range calls {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if got := h.idle(calls); got.Captured+got.QueueFull != calls {
		t.Errorf("%+v", got)
	}
}
