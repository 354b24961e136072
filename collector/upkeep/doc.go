// Package upkeep tells as time series what the collector knows about itself and
// rules judge: which systems are declared, how long tables are kept, which
// evaluations were due and did not take place.
//
//	configuration, evaluator ─> evenkeel.system.declared, evenkeel.retention.kept,
//	                            evenkeel.rule.evaluations ─> store ─> rules
//
// A figure of each system is its own series, so that a rule asks for it as for
// any other and no rule can look at another system's.
package upkeep
