package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/errs"
)

// defaultServer is where a collector on this machine answers.
const defaultServer = "http://127.0.0.1:42001"

// serverFlags say which collector a command talks to.
type serverFlags struct {
	server    string
	tokenFile string
	timeout   time.Duration
}

func (f *serverFlags) register(cmd *cobra.Command) {
	server := os.Getenv("EVENKEEL_SERVER")
	if server == "" {
		server = defaultServer
	}
	cmd.PersistentFlags().StringVar(&f.server, "server", server, "address of the collector (env EVENKEEL_SERVER)")
	cmd.PersistentFlags().StringVar(&f.tokenFile, "token-file", "", "file with the token to show, where the collector asks for one")
	cmd.PersistentFlags().DurationVar(&f.timeout, "timeout", 15*time.Second, "how long to wait for an answer")
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// call sends one request and decodes the answer; body nil sends none. A
// refusal becomes an error with the kind and the hint that the collector gave.
func (f *serverFlags) call(ctx context.Context, method, path string, body, into any) error {
	op := "ask " + f.server
	base, err := url.Parse(f.server)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return errs.E("--server", errs.Invalid, fmt.Errorf("%q is not an address", f.server), "write for example "+defaultServer)
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := f.request(ctx, method, strings.TrimSuffix(f.server, "/")+path, body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return errs.E(op, errs.Unavailable, err, "is the collector running? evenkeel-collector run, or evenkeel demo")
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return errs.E(op, errs.Unavailable, err, "")
	}
	if resp.StatusCode >= 300 {
		return refusal(op, resp.StatusCode, raw)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return errs.E(op, errs.Other, err, "is this the collector's API port?")
	}
	return nil
}

func (f *serverFlags) request(ctx context.Context, method, address string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, errs.E("--server", errs.Invalid, err, "")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if f.tokenFile == "" {
		return req, nil
	}
	token, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return nil, errs.E("--token-file", errs.Invalid, err, "")
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(token)), "\n")
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(first))
	return req, nil
}

// refusedKinds reads the words of the API's errors.
var refusedKinds = map[string]errs.Kind{
	"invalid": errs.Invalid, "not_found": errs.NotFound, "conflict": errs.Conflict, "unavailable": errs.Unavailable,
	"exhausted": errs.Exhausted, "corrupt": errs.Corrupt, "denied": errs.Denied,
}

func refusal(op string, status int, raw []byte) error {
	var body struct {
		Error struct{ Kind, Message, Hint string }
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Error.Message == "" {
		return errs.E(op, errs.Other, fmt.Errorf("it answered %d %s", status, http.StatusText(status)), "is this the collector's API port?")
	}
	return errs.E(op, refusedKinds[body.Error.Kind], errors.New(body.Error.Message), body.Error.Hint)
}
