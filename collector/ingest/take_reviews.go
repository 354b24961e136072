package ingest

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/evenkeel/evenkeel/signal"
)

// TakeReviews takes reviews that came over the API, as the events that say the
// same over OTLP: on nil all of them are durable. The sender names the request as
// BatchHeader does; the same reviews under the same name are stored once.
func (s *Server) TakeReviews(ctx context.Context, reviews []signal.Review, sender string) error {
	if len(reviews) == 0 {
		return nil
	}
	logs := plog.NewLogs()
	records := map[signal.SystemID]plog.LogRecordSlice{}
	for i := range reviews {
		r := &reviews[i]
		into, known := records[r.System]
		if !known {
			resource := logs.ResourceLogs().AppendEmpty()
			resource.Resource().Attributes().PutStr(signal.KeySystemID, string(r.System))
			into = resource.ScopeLogs().AppendEmpty().LogRecords()
			records[r.System] = into
		}
		lr := into.AppendEmpty()
		lr.SetEventName(signal.EventHumanReview)
		if at := reviewed(r); !at.IsZero() {
			lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
		}
		for _, a := range signal.EncodeReview(r) {
			switch v := a.Value.(type) {
			case string:
				lr.Attributes().PutStr(a.Key, v)
			case int64:
				lr.Attributes().PutInt(a.Key, v)
			case bool:
				lr.Attributes().PutBool(a.Key, v)
			}
		}
	}
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		return err
	}
	return s.takeLogs(ctx, "take reviews", body, sender)
}

// reviewed is when the newest of a review happened; zero: not said.
func reviewed(r *signal.Review) time.Time {
	if r.End.IsZero() {
		return r.Start
	}
	return r.End
}
