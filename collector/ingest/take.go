package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/faultpoint"
)

// BatchHeader is model.BatchHeader.
const BatchHeader = model.BatchHeader

// maxSender bounds a sender's name for a request.
const maxSender = 512

// intake is what both transports do with a request.
type intake struct {
	spool    *spool.Spool
	inflight *inflight
	limits   Limits
	budget   *seriesBudget
	health   *Health
	now      func() time.Time
}

func newIntake(o *ServerOptions, sp *spool.Spool, health *Health) *intake {
	return &intake{
		spool: sp, inflight: newInflight(o.MaxInflight, o.AdmitWait), limits: o.Limits, budget: newSeriesBudget(o.Limits.Series),
		health: health, now: o.Now,
	}
}

// take decodes a request and appends it to the spool. On nil the request is
// durable, but for what refused says.
func (in *intake) take(ctx context.Context, transport string, kind spool.Kind, body []byte, sender string) (Refused, error) {
	refused, err := in.accept(ctx, kind, body, sender)
	in.count(kind, transport, err)
	return refused, err
}

// count takes note of what became of a request.
func (in *intake) count(kind spool.Kind, transport string, err error) {
	in.health.requests.WithLabelValues(kind.String(), transport, outcome(err)).Inc()
}

func (in *intake) accept(ctx context.Context, kind spool.Kind, body []byte, sender string) (Refused, error) {
	if len(sender) > maxSender {
		return Refused{}, errs.E("take "+kind.String(), errs.Invalid, fmt.Errorf("%s is longer than %d bytes", BatchHeader, maxSender), "")
	}
	received := in.now()
	a, err := admit(kind, body, received, in.limits, in.budget)
	if err != nil {
		return Refused{}, err
	}
	if !a.empty {
		entry := spool.Entry{Kind: kind, Body: a.body, Sender: sender, Received: received}
		if a.changed {
			entry.Arrived = body
		}
		receipt, err := in.spool.Append(ctx, entry)
		if err != nil {
			return a.Refused, err
		}
		faultpoint.Hit("ingest.synced")
		if receipt.Duplicate {
			return a.Refused, nil
		}
	}
	in.health.count(kind, &a.Tally)
	return a.Refused, nil
}

// outcome is the label value that an error becomes.
func outcome(err error) string {
	switch code := status.Code(err); {
	case err == nil:
		return "accepted"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), code == codes.Canceled, code == codes.DeadlineExceeded:
		return "abandoned"
	case errors.Is(err, errBusy):
		return "busy"
	case code == codes.ResourceExhausted, code == codes.InvalidArgument, code == codes.Internal, code == codes.Unimplemented:
		return "undecodable" // what gRPC says of a message that it could not read
	}
	switch errs.KindOf(err) {
	case errs.Invalid:
		return "undecodable"
	case errs.Exhausted:
		return "full"
	}
	return "unavailable"
}

// retryAfter gives what a sender should wait before it tries again.
func retryAfter(err error) time.Duration {
	var full *spool.FullError
	if errors.As(err, &full) && full.RetryAfter > 0 {
		return full.RetryAfter
	}
	if errors.Is(err, errBusy) {
		return time.Second
	}
	return 5 * time.Second
}
