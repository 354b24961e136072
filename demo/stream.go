package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// stream is the inference client: it sends a scenario's requests at a steady
// rate and checks every answer.
type stream struct {
	scenario Scenario
	url      string // of the agent's infer endpoint
	rate     int    // rows a second
	turnAt   time.Duration
	onTurn   func(text string)
	onError  func(error)
	client   *http.Client

	requests, failures, rows atomic.Int64
}

func newStream(s Scenario, o *Options, base string) *stream {
	return &stream{
		scenario: s, rate: o.Rate, turnAt: o.turnAfter(),
		url:    base + "/v2/models/" + s.Model().Describe().Name + "/infer",
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: 10 * time.Second},
	}
}

// Run sends until ctx ends or the scenario has nothing left. A slow answer
// does not lower the rate: what was missed is sent at once.
func (s *stream) Run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	turned := s.turnAt < 0
	for sent := 0; ; {
		due := start.Add(time.Duration(sent) * time.Second / time.Duration(s.rate))
		timer.Reset(time.Until(due))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if !turned && time.Since(start) >= s.turnAt {
			s.onTurn(s.scenario.Turn())
			turned = true
		}
		request, rows := s.scenario.Next()
		if rows == 0 {
			return
		}
		s.send(ctx, request, rows)
		sent += rows
	}
}

// send makes one request and counts it. One that the end of ctx interrupted is
// not a request that failed.
func (s *stream) send(ctx context.Context, request modelserver.Request, rows int) {
	err := s.infer(ctx, request, rows)
	if err != nil && ctx.Err() != nil {
		return
	}
	s.requests.Add(1)
	s.rows.Add(int64(rows))
	if err != nil {
		s.failures.Add(1)
		s.onError(err)
	}
}

func (s *stream) infer(ctx context.Context, request modelserver.Request, rows int) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s: %s", resp.Status, raw)
	}
	var answer modelserver.Response
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return checkAnswer(request, answer, rows)
}

// checkAnswer holds an answer against its request: the same id, and a value of
// every output for every row.
func checkAnswer(request modelserver.Request, answer modelserver.Response, rows int) error {
	if answer.ID != request.ID || len(answer.Outputs) == 0 {
		return fmt.Errorf("request %q was answered as %q with %d outputs", request.ID, answer.ID, len(answer.Outputs))
	}
	for _, o := range answer.Outputs {
		var values []any
		if err := json.Unmarshal(o.Data, &values); err != nil || len(values) != rows {
			return errors.Join(err, fmt.Errorf("output %q holds %d values for %d rows", o.Name, len(values), rows))
		}
	}
	return nil
}
