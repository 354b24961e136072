// Package ports chooses the demo's addresses and says, when one is taken, by
// whom.
package ports

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Set is one loopback port for everything that listens under a fixed address.
type Set struct {
	Inference int // agent: where clients send their requests
	Admin     int // agent: health and /metrics
	GRPC      int // collector: OTLP over gRPC
	HTTP      int // collector: OTLP over HTTP
	API       int // collector: page, REST, Prometheus API
}

// Default is the set that the documentation names.
func Default() Set { return Set{Inference: 9001, Admin: 9464, GRPC: 4317, HTTP: 4318, API: 42001} }

// Each calls f with every port and what it is for.
func (s Set) Each(f func(port int, purpose string) error) error {
	return errors.Join(
		f(s.API, "the collector's page and API"),
		f(s.GRPC, "the collector's OTLP over gRPC"),
		f(s.HTTP, "the collector's OTLP over HTTP"),
		f(s.Inference, "the agent's inference port"),
		f(s.Admin, "the agent's health and metrics"),
	)
}

// Addr gives the loopback address of a port.
func Addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// Free finds ports that nobody uses at the moment. They are held open together
// while they are chosen, so that no two are the same.
func Free() (Set, error) {
	var s Set
	for _, p := range []*int{&s.Inference, &s.Admin, &s.GRPC, &s.HTTP, &s.API} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return Set{}, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close() //nolint:revive // all are held until the last is chosen
		*p = l.Addr().(*net.TCPAddr).Port
	}
	return s, nil
}

// Check tries every port and reports all that are taken: which, what for, and,
// where the system tells, who has it.
func (s Set) Check() error {
	return s.Each(func(port int, purpose string) error {
		l, err := net.Listen("tcp4", Addr(port))
		if err == nil {
			return l.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("port %d, %s: %w", port, purpose, err)
		}
		return errs.E(fmt.Sprintf("port %d, %s, is in use%s", port, purpose, holder(port)), errs.Conflict, nil,
			"stop what uses it, or choose free ports with: evenkeel demo --ports auto")
	})
}
