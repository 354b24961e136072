// Package promql holds our storage against Prometheus' own: by its own scripts
// (promqltest), which must give what they expect from series that went through
// our writer into the real engine, and by speed, beside its own database on the
// same data. It is a module of its own, since Prometheus' test helpers bring
// every cloud's client with them.
//
//	go test ./...                        conformance, about a minute
//	go test -run xxx -bench . ./...      speed, as ratios
package promql
