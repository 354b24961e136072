package host

import (
	"context"
	"encoding/json"

	"github.com/evenkeel/evenkeel/plugins/sdk"
)

var _ sdk.TicketSink = (*Plugin)(nil)

// Describe implements sdk.TicketSink.
func (p *Plugin) Describe(ctx context.Context) (sdk.Description, error) {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return sdk.Description{}, err
	}
	defer cancel()
	return sink.Describe(ctx)
}

// Validate implements sdk.TicketSink. What it is given holds until the process
// is restarted, which goes back to the configuration of Options.
func (p *Plugin) Validate(ctx context.Context, config json.RawMessage) error {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	return sink.Validate(ctx, config)
}

// Create implements sdk.TicketSink.
func (p *Plugin) Create(ctx context.Context, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return sdk.Ticket{}, err
	}
	defer cancel()
	return sink.Create(ctx, ev, rec)
}

// Update implements sdk.TicketSink.
func (p *Plugin) Update(ctx context.Context, key string, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return sdk.Ticket{}, err
	}
	defer cancel()
	return sink.Update(ctx, key, ev, rec)
}

// Comment implements sdk.TicketSink.
func (p *Plugin) Comment(ctx context.Context, key string, c sdk.Comment) error {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	return sink.Comment(ctx, key, c)
}

// Get implements sdk.TicketSink.
func (p *Plugin) Get(ctx context.Context, key string) (sdk.Ticket, error) {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return sdk.Ticket{}, err
	}
	defer cancel()
	return sink.Get(ctx, key)
}

// Changes implements sdk.TicketSink.
func (p *Plugin) Changes(ctx context.Context, since string) ([]sdk.Change, string, error) {
	ctx, cancel, sink, err := p.call(ctx)
	if err != nil {
		return nil, "", err
	}
	defer cancel()
	return sink.Changes(ctx, since)
}
