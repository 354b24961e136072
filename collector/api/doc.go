// Package api answers people and dashboards on one port:
//
//	register, evaluations, windows -> REST, JSON
//	query -> the Prometheus query API, for Grafana
//	all of it -> the status page at /
//	its own health -> /healthz, /readyz, /metrics
//	labels (JSON, JSON lines, CSV) -> ingest
//
// Without a verifier of tokens it answers only to names of this machine, so
// that a web page cannot reach it by a name of its own that points here; with
// one, every request but the two probes carries a token. It only reads, but for
// labels and two acts of people: acknowledging a record and approving a criterion.
package api
