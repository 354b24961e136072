package ingest

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Decoder turns export requests into rows. It is pure: equal payloads in equal
// order give equal rows. One decoder serves one batch, so that a series stands
// in it once; it is not safe for concurrent use.
type Decoder struct {
	Rows model.Rows
	Tally

	inspect bool           // look, but make no rows
	series  map[uint64]int // fingerprint -> index in Rows.Series
	names   names
}

// Tally counts what requests hold.
type Tally struct {
	Refused     Refused
	Items       int // log records and data points seen, refused ones included
	Predictions int // log records among them that are predictions
	Labels      int // and labels
}

// NewDecoder gives an empty decoder.
func NewDecoder() *Decoder {
	return &Decoder{series: map[uint64]int{}, names: newNames()}
}

// Inspect says what of one request would be refused, without making rows.
func Inspect(kind spool.Kind, payload []byte, received time.Time) (Tally, error) {
	d := NewDecoder()
	d.inspect = true
	err := d.Add(kind, payload, received)
	return d.Tally, err
}

// Add decodes one export request (protobuf). The time of items that carry none
// is received, and times of predictions and labels far from it are refused. A payload that is not a request is errs.Invalid and adds no row.
func (d *Decoder) Add(kind spool.Kind, payload []byte, received time.Time) error {
	if err := checkNesting(kind, payload); err != nil {
		return err
	}
	switch kind {
	case spool.Logs:
		req := plogotlp.NewExportRequest()
		if err := req.UnmarshalProto(payload); err != nil {
			return errs.E("decode logs", errs.Invalid, err, "")
		}
		d.addLogs(req.Logs(), received)
	case spool.Metrics:
		req := pmetricotlp.NewExportRequest()
		if err := req.UnmarshalProto(payload); err != nil {
			return errs.E("decode metrics", errs.Invalid, err, "")
		}
		d.addMetrics(req.Metrics(), received)
	default:
		return errs.E("decode", errs.Invalid, fmt.Errorf("%s is not a kind that is known", kind), "")
	}
	return nil
}

// timeOr gives an OTLP time, or the fallback where it is zero. Times beyond
// what the tables hold (the year 2262) are taken as absent.
func timeOr(unixNano uint64, fallback time.Time) time.Time {
	if unixNano == 0 || unixNano > 1<<63-1 {
		return fallback
	}
	return time.Unix(0, int64(unixNano)).UTC()
}
