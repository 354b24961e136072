package api

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// headers tell browsers to load nothing from elsewhere and to run nothing.
func (h *handler) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set := w.Header().Set
		set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		set("X-Content-Type-Options", "nosniff")
		set("X-Frame-Options", "DENY")
		set("Referrer-Policy", "no-referrer")
		set("Cross-Origin-Opener-Policy", "same-origin")
		set("Cross-Origin-Resource-Policy", "same-origin")
		set("Cache-Control", "no-store")
		if r.TLS != nil {
			set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// sameMachine refuses, while nobody is asked for a token, requests that name
// another host: a page in the browser that has its own name point to loopback.
func (h *handler) sameMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Verify == nil && !isLocal(r.Host) {
			h.fail(w, r, errs.E("request", errs.Denied, fmt.Errorf("without authentication only local names are answered, not %q", r.Host),
				"use 127.0.0.1 or localhost, or set auth.token_file"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLocal(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// sameOrigin refuses what a browser sends on behalf of another site and that
// would change something.
func (h *handler) sameOrigin(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := guard.Check(r); err != nil {
			h.fail(w, r, errs.E("request", errs.Denied, err, ""))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// authenticated asks for a token: as a bearer token or, since browsers can
// only do that, as the password of basic authentication.
func (h *handler) authenticated(next http.Handler) http.Handler {
	if h.Verify == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token, ok := tokenOf(r); ok && h.Verify(token) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("WWW-Authenticate", `Bearer realm="evenkeel"`)
		w.Header().Add("WWW-Authenticate", `Basic realm="evenkeel", charset="UTF-8"`)
		h.failWith(w, http.StatusUnauthorized, errs.E("request", errs.Denied, errors.New("a token is needed"),
			"send Authorization: Bearer TOKEN, with a token of the collector's auth.token_file"))
	})
}

func tokenOf(r *http.Request) (string, bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, password != ""
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}
