// Package agent composes the sidecar: it stands between a model's clients and
// its server, sees what goes in and comes out, and turns it into signals.
//
//	client -> [tap] -> model server
//	            |  queue, bounded by bytes; never blocks inference
//	         [wire] -> Observation -> sampler -> [window] -> Closed -> [export] -> spool -> collector
//	            ^                            \-> predictor -> rows ->     \-> /metrics
//	logger -> [intake]
//
// Start wires the parts and Stop ends them in the order in which data flows, so
// that what was seen is counted and what was counted is on disk. Nothing that
// happens behind the tap can delay or fail a request.
package agent
