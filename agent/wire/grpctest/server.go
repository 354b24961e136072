// Package grpctest serves and asks the inference protocols over gRPC in tests:
// real servers and clients of grpc-go, with messages made from descriptors, so
// that no generated code is needed.
package grpctest

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // so that clients and servers can
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Handler answers the calls of one method.
type Handler struct {
	Request, Response string // message types
	// Answer answers one message.
	Answer func(ctx context.Context, in *dynamicpb.Message) (*dynamicpb.Message, error)
	// Stream has the whole call, in place of Answer.
	Stream func(stream grpc.ServerStream) error
}

// Serve starts a server, which ends with the test, and gives its address.
func Serve(t testing.TB, methods map[string]Handler, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(append(options, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		h, ok := methods[method]
		switch {
		case !ok:
			return status.Error(codes.Unimplemented, method)
		case h.Stream != nil:
			return h.Stream(stream)
		}
		in := Empty(h.Request)
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
		out, err := h.Answer(stream.Context(), in)
		if err != nil {
			return err
		}
		return stream.SendMsg(out)
	}))...)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// Dial makes a client, which ends with the test.
func Dial(t testing.TB, address string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30), grpc.MaxCallSendMsgSize(1<<30)),
	}, options...)
	c, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	return c
}
