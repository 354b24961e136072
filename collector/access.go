package collector

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/evenkeel/evenkeel/internal/listen"
)

// access says who may talk to the collector's listeners, and how.
type access struct {
	tokens *listen.Tokens // nil: everybody on this machine
	tls    *tls.Config    // nil: plain text
}

func (r *runner) openAccess(context.Context) (err error) {
	if r.access.tokens, err = listen.OpenTokens(r.config.Auth.TokenFile, r.log, time.Now); err != nil {
		return err
	}
	r.access.tls, err = listen.TLS(r.config.TLS.CertFile, r.config.TLS.KeyFile, r.log, time.Now)
	return err
}
