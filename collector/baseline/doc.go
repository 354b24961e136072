// Package baseline is the register of baselines: which there are, which of them a
// person has approved as the reference of a model, and since when.
//
//	agents declare, people push -> table baselines
//	people approve, withdraw -> register (chained events)
//	windows -> which baseline is in use -> evenkeel.baseline.approved, evenkeel.baseline.age
//
// A baseline is named by the digest of its content and never changes. A decision
// is about one baseline for one model of one system, whatever its version.
// Nothing here keeps an agent from using a baseline that nobody has approved: the
// gauges are what rules judge.
package baseline
