package sdk

import (
	"context"
	"encoding/json"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/plugins/proto"
)

// client is a TicketSink at the other end of a connection. Its errors carry
// the kinds of package errs.
type client struct{ rpc proto.TicketSinkClient }

// NewClient gives the sink that is served on the connection.
func NewClient(conn grpc.ClientConnInterface) TicketSink {
	return &client{rpc: proto.NewTicketSinkClient(conn)}
}

func (c *client) Describe(ctx context.Context) (Description, error) {
	out, err := c.rpc.Describe(ctx, &proto.DescribeRequest{})
	if err != nil {
		return Description{}, fromStatus("describe", err)
	}
	d := Description{Name: out.GetName(), Version: out.GetVersion(), Summary: out.GetSummary()}
	for _, has := range out.GetCapabilities() {
		for _, c := range capabilities {
			if c.wire == has {
				*c.of(&d) = true
			}
		}
	}
	return d, nil
}

func (c *client) Validate(ctx context.Context, config json.RawMessage) error {
	_, err := c.rpc.Validate(ctx, &proto.ValidateRequest{Config: config})
	return fromStatus("validate configuration", err)
}

func (c *client) Create(ctx context.Context, ev Event, rec Record) (Ticket, error) {
	out, err := c.rpc.Create(ctx, &proto.CreateRequest{Event: toEvent(ev), Record: toRecord(rec)})
	return fromTicket(out.GetTicket()), fromStatus("create ticket", err)
}

func (c *client) Update(ctx context.Context, key string, ev Event, rec Record) (Ticket, error) {
	out, err := c.rpc.Update(ctx, &proto.UpdateRequest{Key: key, Event: toEvent(ev), Record: toRecord(rec)})
	return fromTicket(out.GetTicket()), fromStatus("update ticket "+key, err)
}

func (c *client) Comment(ctx context.Context, key string, m Comment) error {
	_, err := c.rpc.Comment(ctx, &proto.CommentRequest{Key: key, EventId: m.EventID, Author: m.Author, Text: m.Text})
	return fromStatus("comment on ticket "+key, err)
}

func (c *client) Get(ctx context.Context, key string) (Ticket, error) {
	out, err := c.rpc.Get(ctx, &proto.GetRequest{Key: key})
	return fromTicket(out.GetTicket()), fromStatus("get ticket "+key, err)
}

func (c *client) Changes(ctx context.Context, since string) ([]Change, string, error) {
	out, err := c.rpc.Changes(ctx, &proto.ChangesRequest{Since: since})
	if err != nil {
		return nil, "", fromStatus("read changes", err)
	}
	var changes []Change
	for _, c := range out.GetChanges() {
		changes = append(changes, Change{
			Ticket: fromTicket(c.GetTicket()), Time: c.GetTime().AsTime(), Author: c.GetAuthor(), Comment: c.GetComment(),
		})
	}
	return changes, out.GetNext(), nil
}

// fromStatus gives a failed call the kind that says what to do about it.
func fromStatus(op string, err error) error {
	if err == nil {
		return nil
	}
	s := status.Convert(err)
	kind := errs.Unavailable
	switch s.Code() {
	case codes.InvalidArgument:
		kind = errs.Invalid
	case codes.NotFound:
		kind = errs.NotFound
	case codes.Unimplemented:
		kind = errs.Denied
	}
	return errs.E(op, kind, fmt.Errorf("%s", s.Message()), "")
}
