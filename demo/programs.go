package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evenkeel/evenkeel/demo/children"
	"github.com/evenkeel/evenkeel/demo/narrate"
	"github.com/evenkeel/evenkeel/demo/ports"
)

// How long the programs may take to start, and to stop before they are killed.
// Both stop by themselves sooner: stop_timeout in their configurations.
const (
	startLimit    = 60 * time.Second
	agentGrace    = 4 * time.Second
	collectorStop = 6 * time.Second
)

func (r *run) startCollector(ctx context.Context) error {
	begun := time.Now()
	c, err := r.startProgram(ctx, children.Spec{
		Name: "evenkeel-collector", Path: r.o.Programs.Collector,
		Args: []string{"run", "--config", r.path("collector.yaml")}, Log: r.path("collector.log"),
	}, collectorStop, "http://"+ports.Addr(r.settings.Ports.API)+"/readyz")
	if err != nil {
		return err
	}
	r.collector = c
	r.client = newCollectorClient("http://" + ports.Addr(r.settings.Ports.API))
	r.onStop(func() error { r.client.Close(); return nil })
	r.onStop(r.settle)
	r.say.Say(narrate.Good, "collector and its embedded ClickHouse are ready after %.1f s", time.Since(begun).Seconds())
	return nil
}

func (r *run) startAgent(ctx context.Context) error {
	c, err := r.startProgram(ctx, children.Spec{
		Name: "evenkeel-agent", Path: r.o.Programs.Agent,
		Args: []string{"run", "--config", r.path("agent.yaml")}, Log: r.path("agent.log"),
	}, agentGrace, "http://"+ports.Addr(r.settings.Ports.Admin)+"/readyz")
	if err != nil {
		return err
	}
	r.agent = c
	p := r.settings.Ports
	r.say.Say(narrate.Good, "agent is ready, in front of the model server\n"+
		"page       http://%s/\n"+
		"records    http://%s/api/v1/nonconformities\n"+
		"PromQL     http://%s   (as a Prometheus data source in Grafana)\n"+
		"inference  http://%s/v2/models/%s/infer\n"+
		"metrics    http://%s/metrics\n"+
		"files      %s",
		ports.Addr(p.API), ports.Addr(p.API), ports.Addr(p.API), ports.Addr(p.Inference), r.settings.Model, ports.Addr(p.Admin), r.settings.Folder)
	return nil
}

// startProgram starts a program and waits until it says that it is ready. It
// is stopped in its turn, also when it never became ready.
func (r *run) startProgram(ctx context.Context, spec children.Spec, grace time.Duration, ready string) (*children.Child, error) {
	c, err := children.Start(spec)
	if err != nil {
		return nil, err
	}
	r.onStop(func() error {
		select {
		case <-c.Done():
			return nil // it ended by itself, and was reported when it did
		default:
			return c.Stop(grace)
		}
	})
	return c, waitReady(ctx, c, ready)
}

var errEnded = errors.New("the program has ended")

// waitReady asks until the program answers 200. A program that ends meanwhile
// will not become ready.
func waitReady(ctx context.Context, c *children.Child, url string) error {
	client := &http.Client{Timeout: 2 * time.Second}
	defer client.CloseIdleConnections()
	ask := func() (struct{}, error) {
		select {
		case <-c.Done():
			return struct{}{}, backoff.Permanent(errEnded)
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			return struct{}{}, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return struct{}{}, fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return struct{}{}, nil
	}
	_, err := backoff.Retry(ctx, ask, backoff.WithBackOff(backoff.NewConstantBackOff(50*time.Millisecond)), backoff.WithMaxElapsedTime(startLimit))
	if err == nil || ctx.Err() != nil {
		return err
	}
	select {
	case <-c.Done():
		return c.Ended()
	default:
		return fmt.Errorf("%s is not ready after %s: %w; the end of its log:\n%s", c.Name(), startLimit, err, c.Tail(8))
	}
}
