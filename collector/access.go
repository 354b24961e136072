package collector

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/evenkeel/evenkeel/internal/listen"
)

// access says who may talk to the collector's listeners, and how.
type access struct {
	senders *listen.Tokens // nil: everybody on this machine
	people  *listen.Tokens // likewise
	tls     *tls.Config    // nil: plain text
}

// secured says that listeners may face other machines.
func (a *access) secured() bool { return a.senders != nil && a.people != nil && a.tls != nil }

func (r *runner) openAccess(context.Context) (err error) {
	auth := r.config.Auth
	if r.access.senders, err = listen.OpenTokens(auth.TokenFile, r.log, time.Now); err != nil {
		return err
	}
	r.access.people = r.access.senders
	if auth.APITokenFile != "" {
		if r.access.people, err = listen.OpenTokens(auth.APITokenFile, r.log, time.Now); err != nil {
			return err
		}
	}
	r.access.tls, err = listen.TLS(r.config.TLS.CertFile, r.config.TLS.KeyFile, r.log, time.Now)
	return err
}
