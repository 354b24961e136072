// Package ingest takes OTLP in, and labels from the API, and brings it to the
// store.
//
//	OTLP gRPC, HTTP -> Server -> decodes? -> spool (fsync) -> acknowledged
//	spool -> Drain -> Decoder -> model.Rows -> store -> confirmed -> Stored
//
// A request is acknowledged only after the spool's fsync. It is decoded before
// that, once to answer what of it cannot be taken, and once more by the drain,
// from the very bytes that arrived; both use the same code, so what was
// accepted is what is stored.
//
// # What is refused
//
// A request that is not OTLP is refused as a whole (InvalidArgument, 400) and
// never spooled. Of a request that is, single items may be refused; they are
// counted and answered in partial_success:
//
//   - Events of ours whose content does not hold together (a window profile
//     whose cells do not add up, a baseline that is not what its digest says):
//     they do not become evidence. The log record itself is kept in otel_logs
//     all the same, so that one can see what was sent.
//   - Predictions and labels that say nothing, too much, or a time that is absurd.
//     They are not stored at all: what people are is in them.
//   - Data points that have no place in a cumulative time series: delta
//     temporality, inconsistent histograms, reserved label names. They are not
//     stored at all.
package ingest
