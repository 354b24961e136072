// Package export turns closed windows into OpenTelemetry signals and carries
// them to the collector, at its own pace and without losing evidence.
//
//	window -> Publish -> SDK log records  -> OTLP/HTTP exporter --+
//	rows   -> Predict -> SDK log records  -> OTLP/HTTP exporter --+-> spool (fsync) -> sender -> collector
//	          views   -> SDK metrics      -> OTLP/HTTP exporter --+
//	                     same metrics     -> /metrics (Prometheus)
//
// The OTLP exporters believe that they talk to a server: their HTTP transport
// appends the request to the disk spool and answers 200. A sender for each
// signal forwards the bytes in order, with the header Evenkeel-Batch, until the
// collector has acknowledged them; so a collector that is down, slow or full
// costs disk space, and only that.
//
// Evidence fails closed: Publish returns without an error only when every
// record of the window is on disk, all of them in one request. Predictions of
// single rows rank below: Predict never waits, and what is lost is counted.
package export
