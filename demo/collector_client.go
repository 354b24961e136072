package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/demo/journal"
	"github.com/evenkeel/evenkeel/signal"
)

// collectorClient asks the collector by its REST and Prometheus APIs, as
// anybody could.
type collectorClient struct {
	base   string // http://127.0.0.1:42001
	client *http.Client
}

func newCollectorClient(base string) *collectorClient {
	return &collectorClient{base: base, client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}}
}

// Close gives up idle connections.
func (c *collectorClient) Close() { c.client.CloseIdleConnections() }

// call makes one request and decodes the JSON answer into out, which may be nil.
func (c *collectorClient) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, bytes.TrimSpace(raw))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%s %s: decode answer: %w", method, path, err)
	}
	return nil
}

// records gives every record that the register holds.
func (c *collectorClient) records(ctx context.Context) ([]model.Record, error) {
	var answer struct {
		Nonconformities []model.Record `json:"nonconformities"`
	}
	err := c.call(ctx, http.MethodGet, "/api/v1/nonconformities", nil, &answer)
	return answer.Nonconformities, err
}

// verdict is what the demo reads of an evaluation.
type verdict struct {
	ID        string            `json:"id"`
	Rule      signal.RuleID     `json:"rule"`
	Subject   map[string]string `json:"subject"`
	Verdict   signal.Verdict    `json:"verdict"`
	Value     *float64          `json:"value"`
	Lower     *float64          `json:"lower"`
	Upper     *float64          `json:"upper"`
	Samples   uint64            `json:"samples"`
	WindowEnd time.Time         `json:"window_end"`
	State     model.RuleState   `json:"state"`
}

// verdicts gives a rule's evaluations since a time, newest first.
func (c *collectorClient) verdicts(ctx context.Context, rule signal.RuleID, since time.Time) ([]verdict, error) {
	var answer struct {
		Evaluations []verdict `json:"evaluations"`
	}
	err := c.call(ctx, http.MethodGet, "/api/v1/evaluations?limit=1000&rule="+url.QueryEscape(string(rule))+
		"&start="+url.QueryEscape(since.UTC().Format(time.RFC3339Nano)), nil, &answer)
	return answer.Evaluations, err
}

// storedWindows counts the rows that the store has for each window event of
// windows that ended in (from, to]. It asks an hour at a time.
func (c *collectorClient) storedWindows(ctx context.Context, from, to time.Time) (map[journal.Key]int, error) {
	stored := map[journal.Key]int{}
	for start := from; start.Before(to); start = start.Add(time.Hour) {
		end := start.Add(time.Hour)
		if end.After(to) {
			end = to
		}
		var answer struct {
			Windows []struct {
				Window  string             `json:"window"`
				Model   signal.ModelRef    `json:"model"`
				Target  signal.Target      `json:"target"`
				Feature signal.FeatureName `json:"feature"`
			} `json:"windows"`
		}
		query := url.Values{"start": {start.UTC().Format(time.RFC3339Nano)}, "end": {end.UTC().Format(time.RFC3339Nano)}}
		if err := c.call(ctx, http.MethodGet, "/api/v1/windows?"+query.Encode(), nil, &answer); err != nil {
			return nil, err
		}
		for _, w := range answer.Windows {
			stored[journal.Key{Window: w.Window, Model: w.Model.String(), Target: w.Target, Feature: w.Feature}]++
		}
	}
	return stored, nil
}
