package sdk

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/evenkeel/evenkeel/plugins/proto"
)

// capabilities pairs the flags of a Description with their form on the wire.
var capabilities = []struct {
	wire proto.Capability
	of   func(*Description) *bool
}{
	{proto.Capability_CAPABILITY_COMMENT, func(d *Description) *bool { return &d.Comments }},
	{proto.Capability_CAPABILITY_GET, func(d *Description) *bool { return &d.Reads }},
	{proto.Capability_CAPABILITY_CHANGES, func(d *Description) *bool { return &d.Changes }},
}

func toEvent(e Event) *proto.Event {
	return &proto.Event{
		Id: e.ID, Record: e.Record, Seq: e.Seq, Time: timestamppb.New(e.Time),
		Type: e.Type, Actor: e.Actor, Data: e.Data,
	}
}

func fromEvent(e *proto.Event) Event {
	return Event{
		ID: e.GetId(), Record: e.GetRecord(), Seq: e.GetSeq(), Time: e.GetTime().AsTime(),
		Type: e.GetType(), Actor: e.GetActor(), Data: e.GetData(),
	}
}

func toRecord(r Record) *proto.Record {
	return &proto.Record{
		Id: r.ID, Ref: r.Ref, Kind: r.Kind, Severity: r.Severity, State: r.State, Condition: r.Condition,
		Rule: r.Rule, System: r.System, Title: r.Title, Statement: r.Statement, Json: r.JSON,
	}
}

func fromRecord(r *proto.Record) Record {
	return Record{
		ID: r.GetId(), Ref: r.GetRef(), Kind: r.GetKind(), Severity: r.GetSeverity(), State: r.GetState(),
		Condition: r.GetCondition(), Rule: r.GetRule(), System: r.GetSystem(),
		Title: r.GetTitle(), Statement: r.GetStatement(), JSON: r.GetJson(),
	}
}

func toTicket(t Ticket) *proto.Ticket {
	return &proto.Ticket{Key: t.Key, Url: t.URL, State: t.State}
}

func fromTicket(t *proto.Ticket) Ticket {
	return Ticket{Key: t.GetKey(), URL: t.GetUrl(), State: t.GetState()}
}
