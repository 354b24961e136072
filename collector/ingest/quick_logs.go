package ingest

import (
	"math"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/signal"
)

// quickLogs takes requests that begin with a prediction: of these there are
// many. The few windows among them are left to pdata, one by one.
func (d *Decoder) quickLogs(payload string, received time.Time, c *cutter) bool {
	if !d.outline.read(spool.Logs, payload) {
		return false
	}
	o := d.outline // a copy, to be used up
	if len(o.items) == 0 {
		return false
	}
	if first, ok := readRecord(o.items[0]); !ok || first.event != signal.EventPrediction {
		return false
	}
	if !d.inspect {
		d.Rows.Predictions = grow(d, d.Rows.Predictions, len(o.items), len(payload))
	}
	for _, rl := range o.request.logs.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, item := range o.nextScope() {
				if !d.quickPrediction(rl, item, received) && !d.recordAlone(rl, sl, item, received, c) {
					return false
				}
			}
		}
	}
	return true
}

// wireRecord is a log record as it stands in a request.
type wireRecord struct {
	event string
	at    uint64 // unix nanoseconds
}

// readRecord reads what a prediction needs; false: pdata reads the record.
func readRecord(item string) (r wireRecord, ok bool) {
	in := cursor{rest: item}
	for in.next() {
		switch {
		case in.is(1, protowire.Fixed64Type):
			r.at = in.bits
		case in.is(11, protowire.Fixed64Type), in.is(2, protowire.VarintType), in.is(3, protowire.BytesType),
			in.is(6, protowire.BytesType), in.is(7, protowire.VarintType), in.is(8, protowire.Fixed32Type):
		case in.is(9, protowire.BytesType):
			if len(in.text) != 16 && in.text != "" {
				return r, false
			}
		case in.is(10, protowire.BytesType):
			if len(in.text) != 8 && in.text != "" {
				return r, false
			}
		case in.is(5, protowire.BytesType):
			if in.text != "" {
				return r, false
			}
		case in.is(12, protowire.BytesType):
			r.event = in.text
		default:
			return r, false
		}
	}
	return r, !in.bad
}

// quickPrediction adds a record that is a prediction; false: pdata reads it.
func (d *Decoder) quickPrediction(rl plog.ResourceLogs, item string, received time.Time) bool {
	r, ok := readRecord(item)
	if !ok || r.event != signal.EventPrediction {
		return false
	}
	d.predictions.Begin()
	for in := (cursor{rest: item}); in.next(); {
		if in.number == 6 && !d.quickAttribute(in.text) {
			return false
		}
	}
	resource := rl.Resource().Attributes()
	system, err := systemOf(resource)
	p, ok := d.predictions.End()
	if !ok || err != nil {
		return false
	}
	p.System = system
	if err := d.keepPrediction(&p, resource, r.at, received); err != nil {
		return false
	}
	d.Items++
	return true
}

func (d *Decoder) quickAttribute(text string) bool {
	key, v, ok := readAttribute(text)
	if !ok {
		return false
	}
	switch v.field {
	case scalarText:
		return utf8.ValidString(v.text) && d.predictions.Text(key, v.text)
	case scalarInt:
		return d.predictions.Int(key, int64(v.bits))
	case scalarFloat:
		return d.predictions.Float(key, math.Float64frombits(v.bits))
	}
	return d.predictions.Other(key)
}

// recordAlone lets pdata read one record.
func (d *Decoder) recordAlone(rl plog.ResourceLogs, sl plog.ScopeLogs, item string, received time.Time, c *cutter) bool {
	r, err := alone(spool.Logs, item)
	if err != nil {
		return false
	}
	if c != nil {
		if c.cutLogs(r.logs.Logs()); c.removed > 0 {
			return false
		}
	}
	base := d.logOf(rl)
	d.putScope(&base, sl)
	lr := r.logs.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	d.addRecord(&base, rl.Resource().Attributes(), lr, received)
	return true
}
