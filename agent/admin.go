package agent

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	agentconfig "github.com/evenkeel/evenkeel/agent/config"
)

// probeTimeout bounds how long /readyz waits for the model server.
const probeTimeout = time.Second

// defaultReadyPath is asked where the configuration names none. A server need
// not have it.
const defaultReadyPath = "/v2/health/ready"

// newAdminServer serves what operators and their machines ask:
//
//	/healthz  200 as long as the process answers
//	/readyz   200 when the model server is reachable and captures are decoded
//	/metrics  for Prometheus
//	/v1/labels    how predictions turned out, where they are joined here
//	/v1/evaluations  how evaluators judge answers
//	/         all of it in words
//	/debug/pprof  where admin.pprof is set
func (a *Agent) newAdminServer() *http.Server {
	r := chi.NewRouter()
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	r.Get("/readyz", a.serveReady)
	r.Post("/v1/labels", a.postLabels)
	r.Post("/v1/evaluations", a.postEvaluations)
	r.Method(http.MethodGet, "/metrics", a.exporter.MetricsHandler())
	r.Get("/", a.serveStatus)
	if a.c.Admin.Pprof {
		profiles(r)
	}
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
	path := a.c.Admin.ReadyPath
	if path == agentconfig.NoReadyPath || a.inferenceListener == nil { // nothing is passed on
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.upstream.JoinPath(cmp.Or(path, defaultReadyPath)).String(), nil)
	if err != nil {
		return fmt.Errorf("address the model server: %w", err)
	}
	resp, err := a.probe.Do(req)
	if err != nil {
		return fmt.Errorf("the model server is not reachable: %w", err)
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode == http.StatusServiceUnavailable || path != "" && resp.StatusCode/100 != 2 {
		return fmt.Errorf("the model server answers %s: it is not ready", resp.Status)
	}
	return nil // also where nobody said that the server has such a path: it answers
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // a client that left needs no answer
}
