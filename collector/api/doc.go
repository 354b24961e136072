// Package api answers people and dashboards on one port:
//
//	register, evaluations, windows -> REST, JSON
//	query -> the Prometheus query API, for Grafana
//	all of it -> the status page at /
//	its own health -> /healthz, /readyz, /metrics
//	labels (JSON, JSON lines, CSV), lineage, reviews by people -> ingest
//	baselines -> register of baselines
//	alerts of Alertmanager -> verdicts
//
// Without a verifier of tokens it answers only to names of this machine, so
// that a web page cannot reach it by a name of its own that points here; with
// one, every request but the two probes carries a token. Beside what it takes in,
// it writes acts of people only: acknowledging a record, approving a criterion,
// approving or withdrawing a baseline.
package api
