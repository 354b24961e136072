package main

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/internal/version"
	"github.com/evenkeel/evenkeel/plugins/sdk"
)

// sink is a TicketSink that keeps nothing: the ticket's key is the record's
// id, so the same record always has the same ticket.
type sink struct {
	poster atomic.Pointer[poster] // nil before Validate
}

// Describe implements sdk.TicketSink.
func (s *sink) Describe(context.Context) (sdk.Description, error) {
	return sdk.Description{
		Name: "webhook", Version: version.Version, Comments: true,
		Summary: "Posts the life of every record to a URL as CloudEvents 1.0.",
	}, nil
}

// Validate implements sdk.TicketSink.
func (s *sink) Validate(_ context.Context, raw json.RawMessage) error {
	c, err := parseConfig(raw)
	if err != nil {
		return sdk.Invalid("%w", err)
	}
	if old := s.poster.Swap(&poster{config: c, client: newClient(c)}); old != nil {
		old.client.CloseIdleConnections()
	}
	return nil
}

// Create implements sdk.TicketSink.
func (s *sink) Create(ctx context.Context, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	return s.tell(ctx, rec.ID, ev, rec)
}

// Update implements sdk.TicketSink.
func (s *sink) Update(ctx context.Context, key string, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	return s.tell(ctx, key, ev, rec)
}

func (s *sink) tell(ctx context.Context, key string, ev sdk.Event, rec sdk.Record) (sdk.Ticket, error) {
	if key == "" || ev.ID == "" {
		return sdk.Ticket{}, sdk.Invalid("a record's id and an event's id are needed")
	}
	if err := s.post(ctx, recordEvent(ev, rec)); err != nil {
		return sdk.Ticket{}, err
	}
	return sdk.Ticket{Key: key, State: rec.State}, nil
}

// Comment implements sdk.TicketSink.
func (s *sink) Comment(ctx context.Context, key string, c sdk.Comment) error {
	if key == "" || c.EventID == "" {
		return sdk.Invalid("a ticket's key and an event's id are needed")
	}
	return s.post(ctx, newEvent(c.EventID, "evenkeel.record.commented", "", key, time.Now(), commentData{Author: c.Author, Text: c.Text}))
}

// Get implements sdk.TicketSink: there is nothing to read back.
func (s *sink) Get(context.Context, string) (sdk.Ticket, error) {
	return sdk.Ticket{}, sdk.Unsupported("Get")
}

// Changes implements sdk.TicketSink: nothing comes back.
func (s *sink) Changes(context.Context, string) ([]sdk.Change, string, error) {
	return nil, "", sdk.Unsupported("Changes")
}

func (s *sink) post(ctx context.Context, ev cloudEvent) error {
	p := s.poster.Load()
	if p == nil {
		return sdk.Invalid("the sink is not configured: Validate comes first")
	}
	return p.post(ctx, ev)
}
