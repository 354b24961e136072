// Package ingest takes OTLP in, and labels from the API, and brings it to the
// store.
//
//	OTLP gRPC, HTTP -> Server -> admit -> spool (fsync) -> acknowledged
//	spool -> Drain -> Decoder -> model.Rows -> store -> confirmed -> Stored
//
// A request is acknowledged only after the spool's fsync. It is decoded before
// that, once to take out what limits refuse and to answer what of it cannot be
// taken, and once more by the drain. What is spooled are the bytes that arrived,
// unless something was taken out; so the drain needs no limits and no memory of
// other requests, and makes the same rows of the same bytes whenever it is asked.
//
// # What is refused
//
// Before a request is read, it waits for room among the bytes that are under way
// (inflight), and is refused for the moment if there is none. A request that is
// not OTLP is refused as a whole (InvalidArgument, 400) and never spooled. Of a
// request that is, single items may be refused; they are counted and answered in
// partial_success:
//
//   - Items of absurd times, and data points of series beyond the budget of their
//     source (Limits). They are taken out before the request is spooled, so that
//     they make no partitions and no series.
//   - Events of ours whose content does not hold together (a window profile
//     whose cells do not add up, a baseline that is not what its digest says):
//     they do not become evidence. The log record itself is kept in otel_logs
//     all the same, so that one can see what was sent.
//   - Predictions and labels that say nothing, too much, or a time that is absurd.
//     They are not stored at all: what people are is in them.
//   - Data points that have no place in a time series: of no temporality,
//     inconsistent histograms, reserved label names. They are not stored at all.
package ingest
