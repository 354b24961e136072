package sdk

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evenkeel/evenkeel/plugins/proto"
)

// server answers the collector's calls with the author's sink.
type server struct {
	proto.UnimplementedTicketSinkServer
	sink TicketSink
}

func (s *server) Describe(ctx context.Context, _ *proto.DescribeRequest) (*proto.DescribeResponse, error) {
	d, err := s.sink.Describe(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	out := &proto.DescribeResponse{Name: d.Name, Version: d.Version, Summary: d.Summary}
	for _, c := range capabilities {
		if *c.of(&d) {
			out.Capabilities = append(out.Capabilities, c.wire)
		}
	}
	return out, nil
}

func (s *server) Validate(ctx context.Context, req *proto.ValidateRequest) (*proto.ValidateResponse, error) {
	if err := s.sink.Validate(ctx, req.GetConfig()); err != nil {
		return nil, toStatus(err)
	}
	return &proto.ValidateResponse{}, nil
}

func (s *server) Create(ctx context.Context, req *proto.CreateRequest) (*proto.CreateResponse, error) {
	t, err := s.sink.Create(ctx, fromEvent(req.GetEvent()), fromRecord(req.GetRecord()))
	if err == nil && t.Key == "" {
		err = fmt.Errorf("the sink gave a ticket without a key")
	}
	if err != nil {
		return nil, toStatus(err)
	}
	return &proto.CreateResponse{Ticket: toTicket(t)}, nil
}

func (s *server) Update(ctx context.Context, req *proto.UpdateRequest) (*proto.UpdateResponse, error) {
	t, err := s.sink.Update(ctx, req.GetKey(), fromEvent(req.GetEvent()), fromRecord(req.GetRecord()))
	if err != nil {
		return nil, toStatus(err)
	}
	return &proto.UpdateResponse{Ticket: toTicket(t)}, nil
}

func (s *server) Comment(ctx context.Context, req *proto.CommentRequest) (*proto.CommentResponse, error) {
	c := Comment{EventID: req.GetEventId(), Author: req.GetAuthor(), Text: req.GetText()}
	if err := s.sink.Comment(ctx, req.GetKey(), c); err != nil {
		return nil, toStatus(err)
	}
	return &proto.CommentResponse{}, nil
}

func (s *server) Get(ctx context.Context, req *proto.GetRequest) (*proto.GetResponse, error) {
	t, err := s.sink.Get(ctx, req.GetKey())
	if err != nil {
		return nil, toStatus(err)
	}
	return &proto.GetResponse{Ticket: toTicket(t)}, nil
}

func (s *server) Changes(ctx context.Context, req *proto.ChangesRequest) (*proto.ChangesResponse, error) {
	changes, next, err := s.sink.Changes(ctx, req.GetSince())
	if err != nil {
		return nil, toStatus(err)
	}
	out := &proto.ChangesResponse{Next: next}
	for _, c := range changes {
		out.Changes = append(out.Changes, &proto.Change{
			Ticket: toTicket(c.Ticket), Time: timestamppb.New(c.Time), Author: c.Author, Comment: c.Comment,
		})
	}
	return out, nil
}
