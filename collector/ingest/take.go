package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	spool  *spool.Spool
	slots  chan struct{} // one for each request being read, decoded or written
	health *Health
	now    func() time.Time
}

// enter waits for a slot. A request holds one from before its body is read, so
// that memory is bounded by Concurrent times MaxRequest; leave gives it back.
func (in *intake) enter(ctx context.Context) (leave func(), err error) {
	select {
	case in.slots <- struct{}{}:
		return func() { <-in.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// take decodes a request and appends it to the spool. On nil the request is
// durable, but for what refused says.
func (in *intake) take(ctx context.Context, transport string, kind spool.Kind, body []byte, sender string) (Refused, error) {
	refused, err := in.accept(ctx, kind, body, sender)
	in.health.requests.WithLabelValues(kind.String(), transport, outcome(err)).Inc()
	return refused, err
}

func (in *intake) accept(ctx context.Context, kind spool.Kind, body []byte, sender string) (Refused, error) {
	if len(sender) > maxSender {
		return Refused{}, errs.E("take "+kind.String(), errs.Invalid, fmt.Errorf("%s is longer than %d bytes", BatchHeader, maxSender), "")
	}
	received := in.now()
	tally, err := Inspect(kind, body, received)
	refused := tally.Refused
	if err != nil || tally.Items == 0 {
		return refused, err
	}
	receipt, err := in.spool.Append(ctx, spool.Entry{Kind: kind, Body: body, Sender: sender, Received: received})
	if err != nil {
		return refused, err
	}
	faultpoint.Hit("ingest.synced")
	if receipt.Duplicate {
		return refused, nil
	}
	in.health.count(kind, &tally)
	return refused, nil
}

// outcome is the label value that an error becomes.
func outcome(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "abandoned"
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
	return 5 * time.Second
}
