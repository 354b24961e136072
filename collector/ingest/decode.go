package ingest

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// Decoder turns export requests into rows. It is pure: equal payloads in equal
// order give equal rows. One decoder serves one batch, so that a series stands
// in it once; it is not safe for concurrent use.
type Decoder struct {
	Rows model.Rows
	Tally

	inspect bool           // look, but make no rows
	follows int            // bytes of the requests that will follow in the batch, as far as known
	series  map[uint64]int // fingerprint -> index in Rows.Series
	names   names

	// What quick remembers of one request for the next.
	outline     outline
	families    map[string]*family
	streams     map[uint64]*knownStream
	predictions signal.PredictionReader
	scratch     []byte
	pending     []uint64 // streams that were not held against the budget yet
}

// Tally counts what requests hold.
type Tally struct {
	Refused     Refused
	Items       int // log records, data points and spans seen, refused ones included
	Predictions int // log records among them that are predictions
	Labels      int // and labels

	Dropped map[string]int // parts of items that the tables have no place for, by part
}

func (t *Tally) drop(part string, n int) {
	if n == 0 {
		return
	}
	if t.Dropped == nil {
		t.Dropped = map[string]int{}
	}
	t.Dropped[part] += n
}

// NewDecoder gives an empty decoder.
func NewDecoder() *Decoder {
	return &Decoder{
		series: map[uint64]int{}, names: newNames(),
		families: map[string]*family{}, streams: map[uint64]*knownStream{},
	}
}

// Add decodes one export request (protobuf). The time of items that carry none
// is received, and times of our own events far from it are refused. A payload
// that is not a request is errs.Invalid and adds no row.
func (d *Decoder) Add(kind spool.Kind, payload []byte, received time.Time) error {
	if d.quick(kind, payload, received, nil) {
		return nil
	}
	r, err := parse(kind, payload)
	if err == nil {
		d.add(r, received)
	}
	return err
}

// request is an export request of one signal.
type request struct {
	message
	logs    plogotlp.ExportRequest
	metrics pmetricotlp.ExportRequest
	traces  ptraceotlp.ExportRequest
	kind    spool.Kind
}

// message is what the requests of all signals can do.
type message interface {
	UnmarshalProto([]byte) error
	UnmarshalJSON([]byte) error
	MarshalProto() ([]byte, error)
}

// newRequest gives an empty request.
func newRequest(kind spool.Kind) (*request, error) {
	r := &request{kind: kind}
	switch kind {
	case spool.Logs:
		r.logs = plogotlp.NewExportRequest()
		r.message = r.logs
	case spool.Metrics:
		r.metrics = pmetricotlp.NewExportRequest()
		r.message = r.metrics
	case spool.Traces:
		r.traces = ptraceotlp.NewExportRequest()
		r.message = r.traces
	default:
		return nil, errs.E("decode", errs.Invalid, fmt.Errorf("%s is not a kind that is known", kind), "")
	}
	return r, nil
}

// parse reads a request from protobuf, once its values are known not to nest
// too deep.
func parse(kind spool.Kind, payload []byte) (*request, error) {
	r, err := newRequest(kind)
	if err == nil {
		err = checkNesting(kind, payload)
	}
	if err != nil {
		return nil, err
	}
	if err := r.UnmarshalProto(payload); err != nil {
		return nil, errs.E("decode "+kind.String(), errs.Invalid, err, "")
	}
	return r, nil
}

// add makes rows of a request, and counts what it holds.
func (d *Decoder) add(r *request, received time.Time) {
	switch r.kind {
	case spool.Logs:
		d.addLogs(r.logs.Logs(), received)
	case spool.Metrics:
		d.addMetrics(r.metrics.Metrics(), received)
	case spool.Traces:
		d.addTraces(r.traces.Traces(), received)
	}
}

// timeOr gives an OTLP time, or the fallback where it is zero. Times beyond
// what the tables hold (the year 2262) are taken as absent.
func timeOr(unixNano uint64, fallback time.Time) time.Time {
	if unixNano == 0 || unixNano > 1<<63-1 {
		return fallback
	}
	return time.Unix(0, int64(unixNano)).UTC()
}
