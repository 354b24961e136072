package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
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
)

// newGRPC makes the server. Messages stay the bytes that arrived: they go into
// the spool as they are, and a message that is not OTLP gets our answer.
func newGRPC(o ServerOptions, in *intake) *grpc.Server {
	limit := int(min(o.MaxRequest, math.MaxInt32))
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(bytesCodec{}),
		grpc.MaxRecvMsgSize(limit),
		grpc.MaxConcurrentStreams(uint32(max(1, o.Concurrent))), // of one connection: messages are read before we are asked
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
	server.RegisterService(exportService(logsService, in, spool.Logs), nil)
	server.RegisterService(exportService(metricsService, in, spool.Metrics), nil)
	return server
}

// exportService describes a service with the one method Export.
func exportService(name string, in *intake, kind spool.Kind) *grpc.ServiceDesc {
	handler := func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var body []byte
		if err := decode(&body); err != nil {
			return nil, err
		}
		leave, err := in.enter(ctx)
		if err != nil {
			return nil, grpcError(err)
		}
		defer leave()
		md, _ := metadata.FromIncomingContext(ctx)
		refused, err := in.take(ctx, "grpc", kind, body, first(md, BatchHeader))
		if err != nil {
			return nil, grpcError(err)
		}
		return response(kind, &refused).MarshalProto()
	}
	return &grpc.ServiceDesc{
		ServiceName: name,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Export", Handler: handler}},
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
	if kind == spool.Metrics {
		r := pmetricotlp.NewExportResponse()
		if refused.Count > 0 {
			r.PartialSuccess().SetRejectedDataPoints(int64(refused.Count))
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
