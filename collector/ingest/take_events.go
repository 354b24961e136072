package ingest

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// TakeLineage takes OpenLineage events that came over the API, each as the JSON
// that the sender wrote: on nil all of them are durable. The API has parsed them
// (package lineage). The system is theirs where they name none; it may be empty.
// The sender names the request as BatchHeader does, and may be empty.
func (s *Server) TakeLineage(ctx context.Context, system signal.SystemID, events []string, sender string) error {
	if len(events) == 0 {
		return nil
	}
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	if system != "" {
		resource.Resource().Attributes().PutStr(signal.KeySystemID, string(system))
	}
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	for _, event := range events {
		lr := records.AppendEmpty()
		lr.SetEventName(signal.EventLineage)
		lr.Body().SetStr(event)
	}
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		return err
	}
	return s.takeLogs(ctx, "take lineage", body, sender)
}

// RefusedLineage counts events of requests to the API that are none.
func (s *Server) RefusedLineage(n int) {
	s.in.health.refused.WithLabelValues(reasonLineage).Add(float64(n))
}

// takeLogs takes an export request that was made of what came over the API,
// all of which the API has checked.
func (s *Server) takeLogs(ctx context.Context, op string, body []byte, sender string) error {
	room, err := s.in.inflight.enter(ctx, int64(len(body)))
	if err != nil {
		return errs.E(op, errs.Unavailable, err, "")
	}
	defer room.leave()
	refused, err := s.in.take(ctx, "api", spool.Logs, body, sender)
	switch {
	case err != nil && ctx.Err() != nil: // they may be taken all the same
		err = errs.E(op, errs.Unavailable, err, "send them again")
	case err == nil && refused.Count > 0: // the API checks what is checked here
		err = errs.E(op, errs.Invalid, errors.New(refused.Message()), "")
	}
	return err
}
