package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// refusedAddress is why a connection was not made. Trying again changes
// nothing, so it is told apart from a network that is down.
type refusedAddress struct{ err error }

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("%v; set allow_private: true if the receiver is meant to be on a private network", e.err)
}

func (e *refusedAddress) Unwrap() error { return e.err }

var guardian = ssrf.New(ssrf.WithAnyPort())

// guard refuses an address and port of a loopback, private or link-local
// network.
func guard(address string) error {
	network := "tcp4"
	if ap, err := netip.ParseAddrPort(address); err == nil && !ap.Addr().Is4() {
		network = "tcp6"
	}
	if err := guardian.Safe(network, address, nil); err != nil {
		return &refusedAddress{err}
	}
	return nil
}

// newClient builds the one HTTP client of a configuration. The guard sits
// where a connection is made, after names are resolved, so that a name cannot
// point elsewhere the second time. Redirects are not followed and no proxy is
// used, since either would go around it.
func newClient(c *config) *http.Client {
	dialer := &net.Dialer{Timeout: c.timeout, KeepAlive: 30 * time.Second}
	if !c.AllowPrivate {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return guard(address) }
	}
	return &http.Client{
		Timeout:       c.timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   c.timeout,
			ResponseHeaderTimeout: c.timeout,
			MaxIdleConns:          4,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
		},
	}
}
