package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/signal"
)

// fetchBaselines fetches what models name by digest, whenever one is missing,
// until ctx ends. Requests are served and counted meanwhile.
func (a *Agent) fetchBaselines(ctx context.Context) {
	failing := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.wanting:
		}
		c := a.plan().c
		err := a.fetchAll(ctx, c)
		if err == nil {
			failing = ""
			continue
		}
		if text := err.Error(); text != failing {
			failing = text
			a.log.Warn("a baseline was not fetched; it is tried again", "error", err, "every", c.Baselines.Every)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(c.Baselines.Every.Std()):
			a.want()
		}
	}
}

// fetchAll fetches every baseline that is missing, and puts those in force that
// came.
func (a *Agent) fetchAll(ctx context.Context, c *config.Config) error {
	client, err := export.NewClient(config.Export{TLS: c.Baselines.TLS, Timeout: c.Baselines.Every})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	var failed error
	came := false
	for i := range c.Models {
		digest, byDigest := c.Models[i].BaselineDigest()
		if !byDigest || a.kept.fetched(digest) != nil {
			continue
		}
		b, err := fetchBaseline(ctx, client, c.Baselines, digest)
		if err == nil {
			err = a.kept.keep(a.kept.fetchedPath(digest), b)
		}
		if err != nil {
			failed = fmt.Errorf("baseline %s of %s: %w", digest.Short(), c.Models[i].Name, err)
			continue
		}
		came = true
	}
	if came {
		if err := a.again(); err != nil {
			return err
		}
	}
	return failed
}

// fetchBaseline asks the collector for a baseline and checks that it is the one.
func fetchBaseline(ctx context.Context, client *http.Client, c config.Baselines, digest signal.Digest) (*signal.Baseline, error) {
	url := strings.TrimSuffix(c.Endpoint, "/") + "/api/v1/baselines/" + string(digest)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("address the collector: %w", err)
	}
	if c.TokenFile != "" {
		token, err := os.ReadFile(c.TokenFile) // each time: tokens are rotated
		if err != nil {
			return nil, fmt.Errorf("read baselines.token_file: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the collector: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or not, it has nothing more to say
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(c.MaxBody)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the collector's answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the collector answered %s", resp.Status)
	case int64(len(body)) > int64(c.MaxBody):
		return nil, fmt.Errorf("it is longer than baselines.max_body, %s", c.MaxBody)
	}
	b, err := signal.ParseBaseline(body)
	if err != nil {
		return nil, fmt.Errorf("understand the collector's answer: %w", err)
	}
	if got, err := b.Digest(); err != nil || got != digest {
		return nil, fmt.Errorf("the collector gave another baseline, %s", got.Short())
	}
	return b, nil
}
