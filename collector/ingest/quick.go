package ingest

import (
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
)

// quick adds what a request holds from its bytes, without building it as pdata
// does. It takes what most requests are made of, point by point and record by
// record, and leaves single items of other kinds to pdata. False: the request
// as a whole is left to pdata, and nothing was added. That is so for all that is
// broken, and where c, if there is one, would take something out. Both ways give
// the same rows; a fuzz test holds them against each other.
func (d *Decoder) quick(kind spool.Kind, payload []byte, received time.Time, c *cutter) bool {
	before := d.mark()
	var ok bool
	switch kind {
	case spool.Metrics:
		ok = d.quickMetrics(asString(payload), received, c)
	case spool.Logs:
		ok = d.quickLogs(asString(payload), received, c)
	}
	if !ok {
		d.goBack(before)
	}
	return ok
}

// asString gives bytes as a string without copying them: a request has up to
// sixteen megabytes. Nobody writes to a payload once it is here. Rows keep parts
// of it for as long as their batch lives; what lives longer is cloned.
func asString(payload []byte) string { return unsafe.String(unsafe.SliceData(payload), len(payload)) }

// mark says how much a decoder has decoded.
type mark struct {
	lengths model.Rows // for its lengths only
	tally   Tally
}

func (d *Decoder) mark() mark {
	t := d.Tally
	t.Refused.ByReason, t.Dropped = maps.Clone(t.Refused.ByReason), maps.Clone(t.Dropped)
	return mark{d.Rows, t}
}

// goBack forgets what was decoded since.
func (d *Decoder) goBack(to mark) {
	d.forgetSamples(len(to.lengths.Series), len(to.lengths.Samples))
	d.Rows, d.Tally = to.lengths, to.tally
}

// forgetSamples keeps so many series and samples.
func (d *Decoder) forgetSamples(series, samples int) {
	for _, s := range d.Rows.Series[series:] {
		delete(d.series, s.Fingerprint)
	}
	d.Rows.Series, d.Rows.Samples = d.Rows.Series[:series], d.Rows.Samples[:samples]
}

// grow makes room for n more rows, and for those of the requests that follow in
// the batch, if they are alike: n for so many bytes.
func grow[R any](d *Decoder, rows []R, n, bytes int) []R {
	if cap(rows)-len(rows) >= n {
		return rows
	}
	return slices.Grow(rows, n+int(float64(n)*float64(d.follows)/float64(max(bytes, 1))))
}

// reset makes a decoder ready for another batch. What it has learnt about names
// and series stays, within bounds.
func (d *Decoder) reset() {
	d.Rows, d.Tally = model.Rows{}, Tally{}
	clear(d.series)
	if len(d.streams) > maxStreams || len(d.families) > maxNames {
		clear(d.streams)
		clear(d.families)
	}
	d.outline.forget()
	d.predictions.Begin()
	d.names.forget()
}
