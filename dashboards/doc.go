// Package dashboards holds the Grafana dashboards. They are written in Go, so
// that names of metrics come from one place and every query can be run by a
// test, and committed as the JSON that Grafana imports.
//
//	overview.go -> Overview() ─┐
//	outcomes.go -> Outcomes() ─┴─> go generate -> evenkeel-*.json -> Grafana
//	                                                    |
//	          test/e2e runs every query of the overview against the live demo,
//	          and of the outcomes against models that have labels and embeddings
//
// The data source is any Prometheus that scrapes or stores Evenkeel's metrics;
// the collector itself is one, at http://127.0.0.1:42001.
package dashboards

//go:generate go run ./generate -out .
