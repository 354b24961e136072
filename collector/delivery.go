package collector

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/evenkeel/evenkeel/collector/api"
	"github.com/evenkeel/evenkeel/collector/notify"
	"github.com/evenkeel/evenkeel/plugins/host"
)

// delivery is the plugins and the outbox that feeds them.
type delivery struct {
	plugins []*host.Plugin
	outbox  *notify.Outbox
}

func (r *runner) startDelivery(ctx context.Context) error {
	sinks := make([]notify.Sink, 0, len(r.config.Plugins))
	for _, p := range r.config.Plugins {
		plugin, err := r.startPlugin(ctx, p)
		if err != nil {
			return err
		}
		r.delivery.plugins = append(r.delivery.plugins, plugin)
		sinks = append(sinks, plugin)
	}
	outbox, err := notify.Open(ctx, r.register, r.store, sinks, notify.Options{Clock: r.now, Log: r.log, Registerer: r.metrics})
	if err != nil {
		return err
	}
	r.delivery.outbox = outbox
	r.life.started("outbox", func(ctx context.Context) error {
		outbox.Run(ctx) // ends at once where there is no sink
		<-ctx.Done()
		return nil
	})
	return nil
}

func (r *runner) startPlugin(ctx context.Context, p Plugin) (*host.Plugin, error) {
	settings, err := json.Marshal(p.Config)
	if err != nil {
		return nil, fmt.Errorf("plugins: %s: config: %w", p.Name, err)
	}
	if p.Config == nil {
		settings = nil
	}
	plugin, err := host.Start(ctx, host.Options{
		Name: p.Name, Path: p.Path, SHA256: p.SHA256, Config: settings, Log: r.log,
		StopTimeout: r.config.StopTimeout.Std(),
	})
	if err != nil {
		return nil, err
	}
	r.life.opened("plugin "+p.Name, func() error { return plugin.Stop(context.Background()) })
	return plugin, nil
}

// status tells how every plugin stands: its process and its deliveries.
func (d *delivery) status() []api.Plugin {
	bySink := map[string]notify.Status{}
	for _, s := range d.outbox.Status() {
		bySink[s.Sink] = s
	}
	out := make([]api.Plugin, 0, len(d.plugins))
	for _, p := range d.plugins {
		process, sent := p.Status(), bySink[p.Name()]
		shown := api.Plugin{
			Name: process.Name, Version: process.Version, Running: process.Running, Restarts: process.Restarts,
			Delivered: sent.Delivered, Refused: sent.Refused, Waiting: sent.Waiting, LastError: sent.LastError,
		}
		if shown.LastError == "" && !process.Running {
			shown.LastError = process.LastError
		}
		out = append(out, shown)
	}
	return out
}
