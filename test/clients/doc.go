// Package clients lets programs that know nothing of this project write into a
// real collector, unchanged, and holds what they say was acknowledged against
// what an engine of the test's own counts in the store afterwards:
//
//	OpenTelemetry SDK (Go, Python, JavaScript) -- OTLP/gRPC, OTLP/HTTP --> collector
//	telemetrygen                               -- OTLP/gRPC, OTLP/HTTP --> collector
//	OpenLineage client (Python)                -- POST /api/v1/lineage --> collector
//
// The three SDKs do the same work (see workload_test.go), so the same numbers
// must come out of the store for all of them. The Go SDK is part of go test; the
// others run with make e2e-clients, which makes what they need in the user's
// cache: a Python environment from python/requirements.txt, node_modules from
// javascript/package-lock.json, telemetrygen from telemetrygen/go.mod.
package clients
