package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // senders may compress
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// The services of OTLP that are served; any other answers Unimplemented.
const (
	logsService    = "opentelemetry.proto.collector.logs.v1.LogsService"
	metricsService = "opentelemetry.proto.collector.metrics.v1.MetricsService"
	tracesService  = "opentelemetry.proto.collector.trace.v1.TraceService"
)

// newGRPC makes the server. Messages stay the bytes that arrived: they go into
// the spool as they are, and a message that is not OTLP gets our answer.
func newGRPC(o ServerOptions, in *intake, reading *sync.WaitGroup) *grpc.Server {
	limit := int(min(o.MaxRequest, math.MaxInt32))
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(bytesCodec{}),
		grpc.MaxRecvMsgSize(limit),
		grpc.MaxConcurrentStreams(uint32(max(1, o.Streams))),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: o.IdleTimeout}),
		grpc.ConnectionTimeout(o.ReadTimeout),
		grpc.InTapHandle(func(ctx context.Context, info *tap.Info) (context.Context, error) {
			if !o.Tokens.Allow(first(info.Header, "authorization")) {
				return nil, status.Error(codes.Unauthenticated, "no token, or one that is not known: send Authorization: Bearer TOKEN")
			}
			return ctx, nil
		}),
	}
	if o.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(o.TLS)))
	}
	server := grpc.NewServer(options...)
	for name, kind := range map[string]spool.Kind{logsService: spool.Logs, metricsService: spool.Metrics, tracesService: spool.Traces} {
		e := &grpcExport{in: in, kind: kind, limit: int64(limit), timeout: o.ReadTimeout, reading: reading}
		server.RegisterService(e.describe(name), nil)
	}
	return server
}

// grpcExport serves one signal's method Export.
type grpcExport struct {
	in      *intake
	kind    spool.Kind
	limit   int64
	timeout time.Duration // for a message to arrive
	reading *sync.WaitGroup
}

// describe makes a service with the one method Export. It is described as a
// stream, which looks the same to a client that sends one message: so we are
// asked before the message is read, and can make it wait.
func (e *grpcExport) describe(name string) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: name,
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: "Export", ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error { return e.serve(stream) },
		}},
	}
}

func (e *grpcExport) serve(stream grpc.ServerStream) error {
	ctx := stream.Context()
	room, err := e.in.inflight.enter(ctx, e.limit)
	if err != nil {
		e.in.count(e.kind, "grpc", err)
		return grpcError(err)
	}
	defer room.leave()
	body, err := e.receive(stream)
	if err != nil {
		e.in.count(e.kind, "grpc", err)
		return err
	}
	room.shrink(int64(len(body)))
	md, _ := metadata.FromIncomingContext(ctx)
	refused, err := e.in.take(ctx, "grpc", e.kind, body, first(md, BatchHeader))
	if err != nil {
		return grpcError(err)
	}
	answer, err := response(e.kind, &refused).MarshalProto()
	if err != nil {
		return status.Error(codes.Internal, "encode the response: "+err.Error())
	}
	return stream.SendMsg(answer)
}

// receive reads the one message. Who sends it too slowly is told to come again,
// since what it holds is reserved for it; the reading then ends with the stream.
func (e *grpcExport) receive(stream grpc.ServerStream) ([]byte, error) {
	type message struct {
		body []byte
		err  error
	}
	arrived := make(chan message, 1)
	e.reading.Go(func() {
		var m message
		m.err = stream.RecvMsg(&m.body)
		arrived <- m
	})
	late := time.NewTimer(e.timeout)
	defer late.Stop()
	select {
	case m := <-arrived:
		if errors.Is(m.err, io.EOF) {
			m.err = status.Error(codes.InvalidArgument, "the request holds no message")
		}
		return m.body, m.err
	case <-late.C:
		return nil, grpcError(errs.E("read a request", errs.Unavailable, fmt.Errorf("it did not arrive within %s", e.timeout), ""))
	}
}

func first(md metadata.MD, key string) string {
	if values := md.Get(strings.ToLower(key)); len(values) > 0 {
		return values[0]
	}
	return ""
}

// grpcError says with its code whether the sender should try again, and when.
func grpcError(err error) error {
	code := codes.Unavailable
	switch errs.KindOf(err) {
	case errs.Invalid:
		return status.Error(codes.InvalidArgument, err.Error())
	case errs.Exhausted:
		code = codes.ResourceExhausted
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return status.FromContextError(err).Err()
	}
	st, detailed := status.New(code, err.Error()).WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter(err))})
	if detailed != nil {
		return status.Error(code, err.Error())
	}
	return st.Err()
}

// exportResponse is what the responses of all signals can do.
type exportResponse interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

// response answers a request, with partial_success where items were refused.
func response(kind spool.Kind, refused *Refused) exportResponse {
	switch kind {
	case spool.Metrics:
		r := pmetricotlp.NewExportResponse()
		if refused.Count > 0 {
			r.PartialSuccess().SetRejectedDataPoints(int64(refused.Count))
			r.PartialSuccess().SetErrorMessage(refused.Message())
		}
		return r
	case spool.Traces:
		r := ptraceotlp.NewExportResponse()
		if refused.Count > 0 {
			r.PartialSuccess().SetRejectedSpans(int64(refused.Count))
			r.PartialSuccess().SetErrorMessage(refused.Message())
		}
		return r
	}
	r := plogotlp.NewExportResponse()
	if refused.Count > 0 {
		r.PartialSuccess().SetRejectedLogRecords(int64(refused.Count))
		r.PartialSuccess().SetErrorMessage(refused.Message())
	}
	return r
}

// bytesCodec passes messages through as they are on the wire.
type bytesCodec struct{}

// Name is the codec's name in the content type.
func (bytesCodec) Name() string { return "proto" }

// Marshal takes a []byte.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("marshal %T: want bytes", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

// Unmarshal fills a *[]byte with a copy.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("unmarshal %T: want bytes", v)
	}
	*b = data.Materialize()
	return nil
}
