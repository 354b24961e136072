package agent

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
)

// probeTimeout bounds how long /readyz waits for the model server.
const probeTimeout = time.Second

// newAdminServer serves what operators and their machines ask:
//
//	/healthz  200 as long as the process answers
//	/readyz   200 when the model server is reachable and captures are decoded
//	/metrics  for Prometheus
func (a *Agent) newAdminServer() *http.Server {
	r := chi.NewRouter()
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	r.Get("/readyz", a.serveReady)
	r.Method(http.MethodGet, "/metrics", a.exporter.MetricsHandler())
	return &http.Server{
		Handler:           r,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
}

func (a *Agent) serveReady(w http.ResponseWriter, r *http.Request) {
	if err := a.ready(r.Context()); err != nil {
		answer(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
		return
	}
	answer(w, http.StatusOK, "ready")
}

// ready says why the agent should get no requests yet; nil: it should. The
// collector is not asked: without it inference goes on, and evidence waits.
func (a *Agent) ready(ctx context.Context) error {
	select {
	case <-a.drained:
		return fmt.Errorf("captured requests are not decoded any more")
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.upstream.JoinPath("/v2/health/ready").String(), nil)
	if err != nil {
		return fmt.Errorf("address the model server: %w", err)
	}
	resp, err := a.probe.Do(req)
	if err != nil {
		return fmt.Errorf("the model server is not reachable: %w", err)
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode == http.StatusServiceUnavailable {
		return fmt.Errorf("the model server answers %s: it is not ready", resp.Status)
	}
	return nil // also where the server has no such path: it answers
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // a client that left needs no answer
}
