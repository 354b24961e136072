package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/listen"
)

// ServerOptions say where and how requests are taken.
type ServerOptions struct {
	GRPC string // address; empty: off
	HTTP string // address; empty: off

	Tokens *listen.Tokens // nil: everybody
	TLS    *tls.Config    // nil: plain text

	MaxRequest  int64         // bytes of one request, on the wire and decompressed
	MaxInflight int64         // bytes of all requests that are read, decoded or written at the same time
	AdmitWait   time.Duration // how long a request waits for room among them
	Streams     int           // requests of one gRPC connection at the same time
	Limits      Limits        // which items are taken
	ReadTimeout time.Duration // for reading a whole request
	IdleTimeout time.Duration // of connections
	StopTimeout time.Duration // for requests under way when the server stops

	Now func() time.Time // the spool's clock

	Log *slog.Logger
}

// DefaultServerOptions gives what the documentation names.
func DefaultServerOptions() ServerOptions {
	return ServerOptions{
		GRPC:        "127.0.0.1:4317",
		HTTP:        "127.0.0.1:4318",
		MaxRequest:  16 << 20,
		MaxInflight: 256 << 20,
		AdmitWait:   10 * time.Second,
		Streams:     128,
		Limits: Limits{
			MaxAge: 366 * 24 * time.Hour, MaxAhead: model.ClockSlack,
			Series: SeriesBudgetOptions{PerSource: 100_000, Total: 1_000_000, Idle: time.Hour},
		},
		ReadTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute,
		StopTimeout: 5 * time.Second,
		Now:         time.Now,
		Log:         slog.New(slog.DiscardHandler),
	}
}

// Server takes OTLP over gRPC and HTTP, and labels from the API.
type Server struct {
	o    ServerOptions
	in   *intake
	grpc *grpc.Server
	http *http.Server

	reading sync.WaitGroup // goroutines that read gRPC messages

	grpcListener, httpListener net.Listener
}

// Listen opens the sockets, so that a port in use or an address that others
// could reach without authentication is an error now. Run serves them; Close
// lets them go if Run is never called.
func Listen(ctx context.Context, o ServerOptions, sp *spool.Spool, health *Health) (*Server, error) {
	in := newIntake(&o, sp, health)
	s := &Server{o: o, in: in, http: newHTTP(o, in)}
	s.grpc = newGRPC(o, in, &s.reading)
	var err error
	if s.grpcListener, err = s.open(ctx, o.GRPC); err == nil {
		s.httpListener, err = s.open(ctx, o.HTTP)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	if err := listen.Check(addr, s.o.Tokens != nil && s.o.TLS != nil); err != nil {
		return nil, err
	}
	return listen.TCP(ctx, addr)
}

// GRPCAddr and HTTPAddr give the addresses that were opened; "" where off.
func (s *Server) GRPCAddr() string { return address(s.grpcListener) }

// HTTPAddr gives the HTTP address that was opened; "" where off.
func (s *Server) HTTPAddr() string { return address(s.httpListener) }

func address(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Run serves until ctx ends or a listener fails. Then it takes no new requests,
// waits StopTimeout for those under way, and returns when all are done or cut
// off; what was acknowledged is in the spool either way.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var serving sync.WaitGroup
	if s.grpcListener != nil {
		serving.Go(func() { cancel(s.grpc.Serve(s.grpcListener)) })
	}
	if s.httpListener != nil {
		serving.Go(func() { cancel(s.serveHTTP()) })
	}
	<-ctx.Done()
	s.stop()
	serving.Wait()
	s.reading.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (s *Server) serveHTTP() error {
	if s.o.TLS != nil {
		return s.http.ServeTLS(s.httpListener, "", "")
	}
	return s.http.Serve(s.httpListener)
}

// stop ends both servers, with the same time for both.
func (s *Server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), s.o.StopTimeout)
	defer cancel()
	var stopping sync.WaitGroup
	stopping.Go(func() {
		force := context.AfterFunc(ctx, s.grpc.Stop)
		s.grpc.GracefulStop()
		force()
	})
	stopping.Go(func() {
		if err := s.http.Shutdown(ctx); err != nil {
			s.o.Log.Warn("requests under way were cut off; their senders will repeat them", "error", err)
			_ = s.http.Close()
		}
	})
	stopping.Wait()
}

// Close lets the sockets go. It is for a server that was never run; after Run
// it does nothing.
func (s *Server) Close() error {
	s.grpc.Stop()
	err := s.http.Close()
	for _, l := range []net.Listener{s.grpcListener, s.httpListener} {
		if l == nil {
			continue
		}
		if closing := l.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}
