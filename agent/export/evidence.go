package export

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// maxEvidence bounds one request of evidence, before compression; it is the
// collector's bound as well.
const maxEvidence = 16 << 20

// evidence turns events into OTLP log records through the SDK, so that they
// carry its resource and scope, and puts all records of one batch into one
// request of its kind in the spool. Safe for concurrent use.
type evidence struct {
	provider *sdklog.LoggerProvider
	logger   log.Logger
	exporter sdklog.Exporter
	now      func() time.Time
	mu       sync.Mutex // the exporter takes one batch at a time
}

// event is one log record to be.
type event struct {
	name  string
	at    time.Time
	attrs []signal.Attr
	body  string // empty: none
}

func newEvidence(id Identity, s *spool, kind Kind, now func() time.Time) (*evidence, error) {
	exporter, err := otlploghttp.New(context.Background(),
		otlploghttp.WithEndpointURL(spoolEndpoint),
		otlploghttp.WithURLPath("/v1/logs"),
		otlploghttp.WithHTTPClient(&http.Client{Transport: spoolTransport{s, kind}}),
		otlploghttp.WithCompression(otlploghttp.GzipCompression),
		otlploghttp.WithMaxRequestSize(maxEvidence),
		otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: false}), // the spool answers at once
	)
	if err != nil {
		return nil, errs.E("make the log exporter", errs.Other, err, "")
	}
	provider := sdklog.NewLoggerProvider(
		sdklog.WithResource(id.resource()),
		sdklog.WithProcessor(gather{}),
		// Evidence is never cut, whatever the environment variables say.
		sdklog.WithAttributeCountLimit(-1),
		sdklog.WithAllowKeyDuplication(), // there is none: looking for it is half of what a record costs
		sdklog.WithAttributeValueLengthLimit(-1),
	)
	return &evidence{
		provider: provider,
		logger:   provider.Logger(scopeName, log.WithInstrumentationVersion(id.Version)),
		exporter: exporter,
		now:      now,
	}, nil
}

// Write makes one request of the events; when it returns nil they are durable.
func (e *evidence) Write(ctx context.Context, events []event) error {
	records := make([]sdklog.Record, 0, len(events))
	batch := &records
	ctx = context.WithValue(ctx, batchKey{}, batch)
	for _, ev := range events {
		r, err := e.record(ev)
		if err != nil {
			return err
		}
		e.logger.Emit(ctx, r)
	}
	if len(*batch) != len(events) {
		return fmt.Errorf("the log SDK passed on %d of %d records", len(*batch), len(events))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.exporter.Export(ctx, *batch)
}

func (e *evidence) record(ev event) (log.Record, error) {
	var r log.Record
	r.SetEventName(ev.name)
	r.SetTimestamp(ev.at)
	r.SetObservedTimestamp(e.now())
	r.SetSeverity(log.SeverityInfo)
	r.SetSeverityText("INFO")
	if ev.body != "" {
		r.SetBody(attribute.StringValue(ev.body))
	}
	attrs := make([]attribute.KeyValue, len(ev.attrs))
	for i, a := range ev.attrs {
		switch v := a.Value.(type) {
		case int64:
			attrs[i] = attribute.Int64(a.Key, v)
		case float64:
			attrs[i] = attribute.Float64(a.Key, v)
		case string:
			attrs[i] = attribute.String(a.Key, v)
		case []int64:
			attrs[i] = attribute.Int64Slice(a.Key, v)
		case []float64:
			attrs[i] = attribute.Float64Slice(a.Key, v)
		default:
			return r, fmt.Errorf("event %s: attribute %s has a %T, which has no OTLP form here", ev.name, a.Key, v)
		}
	}
	r.AddAttributes(attrs...)
	return r, nil
}

// Close shuts the SDK down. Nothing is pending in it: Write is synchronous.
func (e *evidence) Close(ctx context.Context) error {
	return errors.Join(e.provider.Shutdown(ctx), e.exporter.Shutdown(ctx))
}

// gather is the SDK's processor: it collects the records of one Write, which
// its context names, so that they are exported together. The SDK's own batch
// processor could split a window over two requests.
type gather struct{}

type batchKey struct{}

// OnEmit adds a copy of the record to the batch of its context.
func (gather) OnEmit(ctx context.Context, r *sdklog.Record) error {
	batch, ok := ctx.Value(batchKey{}).(*[]sdklog.Record)
	if !ok {
		return errors.New("a record was emitted outside a batch")
	}
	*batch = append(*batch, r.Clone())
	return nil
}

// Enabled is true: every record counts.
func (gather) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// Shutdown has nothing to do.
func (gather) Shutdown(context.Context) error { return nil }

// ForceFlush has nothing to do.
func (gather) ForceFlush(context.Context) error { return nil }
