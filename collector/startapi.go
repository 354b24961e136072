package collector

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/listen"
	"github.com/evenkeel/evenkeel/rules"
	"github.com/evenkeel/evenkeel/signal"
)

func (r *runner) startAPI(ctx context.Context) error {
	if err := listen.Check(r.config.API.Listen, r.access.secured()); err != nil {
		return err
	}
	socket, err := listen.TCP(ctx, r.config.API.Listen)
	if err != nil {
		return err
	}
	r.apiAddr = socket.Addr().String()
	if r.access.tls != nil {
		socket = tls.NewListener(socket, r.access.tls)
	}
	server := api.NewServer(api.New(r.apiOptions()), r.log)
	r.life.started("api", func(ctx context.Context) error { return r.serve(ctx, server, socket) })
	return nil
}

// serve answers until ctx ends, then lets requests under way finish.
func (r *runner) serve(ctx context.Context, server *http.Server, socket net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(socket) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.Background(), r.config.StopTimeout.Std())
	defer cancel()
	err := server.Shutdown(limited)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (r *runner) apiOptions() api.Options {
	o := api.Options{
		Register: r.register, Query: r.queries, Reader: r.store,
		Rules:  r.rules,
		Known:  r.known,
		Ready:  r.ready,
		Labels: r.server, Lineage: r.server, Reviews: r.server, MaxLabels: int64(r.config.OTLP.MaxRequest),
		Deployments: r.governance.deployments, Baselines: r.governance.baselines, Alerts: r.governance.alerts,
		Metrics: r.metrics,
		Tickets: r.delivery.outbox.Tickets,
		Account: r.account,
		Plugins: r.delivery.status,
		Clock:   r.now,
		Log:     r.log,
	}
	if r.access.people != nil {
		o.Verify = func(token string) bool { return r.access.people.Allow("Bearer " + token) }
	}
	for _, s := range r.config.Systems {
		o.Systems = append(o.Systems, api.System{ID: signal.SystemID(s.ID), Owner: s.Owner})
	}
	return o
}

// heardOf is how long ago an undeclared system may have sent something to be
// known.
const heardOf = 7 * 24 * time.Hour

// known checks what a criterion is approved for.
func (r *runner) known(ctx context.Context, rule signal.RuleID, system signal.SystemID) error {
	hasRule := func(e *rules.Effective) bool { return e.ID == rule }
	if !slices.ContainsFunc(r.rules.For(system), hasRule) {
		return errs.E("approve criterion", errs.NotFound, fmt.Errorf("no rule %s is loaded", rule), "evenkeel rules check lists the rules")
	}
	if slices.ContainsFunc(r.config.Systems, func(s System) bool { return signal.SystemID(s.ID) == system }) {
		return nil
	}
	label := model.Matcher{Name: signal.PrometheusName(signal.KeySystemID), Value: string(system)}
	now := r.now()
	series, err := r.store.FindSeries(ctx, []model.Matcher{label}, now.Add(-heardOf), now)
	if err == nil && len(series) == 0 {
		err = errs.E("approve criterion", errs.NotFound, fmt.Errorf("no system %q is declared, and none has sent anything in 7 days", system),
			"declare it under systems in the collector's configuration, or look at its spelling")
	}
	return err
}

func (r *runner) ready(ctx context.Context) error {
	if err := r.spool.Healthy(); err != nil {
		return err
	}
	return r.store.Ping(ctx)
}

func (r *runner) account() api.Account {
	s := r.spool.Stats()
	return api.Account{
		Acknowledged: s.Taken, Waiting: uint64(s.Records), PutAside: s.QuarantinedBatches,
		SpoolBytes: uint64(s.Bytes), SpoolMax: uint64(r.config.Spool.Max),
	}
}
