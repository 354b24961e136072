package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// Check refuses an address that machines other than this one can reach, unless
// callers are authenticated. The address is host:port; an empty host means
// every interface. It resolves nothing: of names only localhost is loopback.
func Check(addr string, authenticated bool) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errs.E("check address "+addr, errs.Invalid, err, "write host:port, for example 127.0.0.1:4318")
	}
	if authenticated || loopback(host) {
		return nil
	}
	return errs.E("check address "+addr, errs.Denied,
		errors.New("other machines could reach it, and callers are not authenticated"),
		fmt.Sprintf("set auth.token_file and tls.cert_file, tls.key_file, or listen on 127.0.0.1:%s", port))
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// TCP opens a listener. A port that is in use is errs.Conflict and names the
// ways out.
func TCP(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, errs.E("listen on "+addr, errs.Conflict, errors.New("the port is in use"),
			"stop the other program (ss -ltnp names it), or configure another port; port 0 takes a free one")
	case errors.Is(err, syscall.EACCES):
		return nil, errs.E("listen on "+addr, errs.Denied, err, "ports below 1024 need a capability; configure a higher one")
	}
	return nil, errs.E("listen on "+addr, errs.Other, err, "configure an address of this machine")
}
