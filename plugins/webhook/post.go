package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// maxReply bounds what is read of a receiver's reply; people see the start of
// it when it refuses.
const maxReply = 1024

// poster sends events under one configuration.
type poster struct {
	config *config
	client *http.Client
}

// post sends one event. Receivers tell repeats by the event's id, which is
// also in the Idempotency-Key header.
func (p *poster) post(ctx context.Context, ev cloudEvent) error {
	body, err := json.Marshal(ev)
	if err != nil {
		return sdk.Invalid("event %s: %w", ev.ID, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.config.url.String(), bytes.NewReader(body))
	if err != nil {
		return sdk.Invalid("event %s: %w", ev.ID, err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "evenkeel-webhook/"+version.Version)
	req.Header.Set("Idempotency-Key", ev.ID)
	if p.config.secret != nil {
		req.Header.Set("Evenkeel-Signature", sign(p.config.secret, body))
	}
	resp, err := p.client.Do(req)
	var refused *refusedAddress
	switch {
	case errors.As(err, &refused):
		return sdk.Invalid("%s: %w", p.config.url.Host, refused)
	case err != nil:
		return sdk.Retryable("post to %s: %w", p.config.url.Host, withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	reply, _ := io.ReadAll(io.LimitReader(resp.Body, maxReply)) // a cut reply is still a reply
	return judge(resp.StatusCode, strings.TrimSpace(string(reply)))
}

// withoutURL takes the URL out of an error: its path is often the secret, and
// errors are stored and shown.
func withoutURL(err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}

// judge turns the receiver's status into what the collector does next. A
// redirect is final: it is not followed, so the configuration is wrong. A
// credential that is refused, or a receiver that is not there, may be put right:
// events wait for it.
func judge(status int, reply string) error {
	if len(reply) > 200 {
		reply = reply[:200]
	}
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return sdk.Retryable("the receiver answered %d %s: %q", status, http.StatusText(status), reply)
	case status >= 300 && status < 400:
		return sdk.Invalid("the receiver answered %d %s; redirects are not followed: set url to its end", status, http.StatusText(status))
	}
	return sdk.Invalid("the receiver answered %d %s: %q", status, http.StatusText(status), reply)
}
