// Package query runs PromQL over the store: Prometheus' own parser and engine
// on one side, model.SeriesReader on the other.
//
//	collector/evaluate ─ Instant, lookback = the window ─┐
//	collector/api ───── Instant, Range, Series, Labels ──┼─> promql ─> querier ─> model.SeriesReader
//	rules.Load ──────── Check                            ┘
//
// Rules see one system and one window length at a time: Restrict puts those
// matchers into every selector of an expression, where no expression can get
// around them.
package query
