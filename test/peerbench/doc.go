// Package peerbench measures the collector against its peer: an OpenTelemetry
// Collector with contrib's ClickHouse exporter and a queue that is synced to the
// disk. Both are fed by telemetrygen, as fast as it can, and write to the same
// ClickHouse, by turns:
//
//	make bench-peers
//
// It is no part of make test: it builds the peer, which takes minutes.
package peerbench
