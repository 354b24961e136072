// Package alerts takes what Alertmanager sends by its webhook (version 4) as
// verdicts, so that a rule which Prometheus evaluates opens the same record as one
// that the collector evaluates.
//
//	Alertmanager -> Parse -> one evaluation for each alert -> store -> Register.Consume
//
// The label evenkeel_rule_id names the rule and evenkeel_system_id the system; the
// labels that the rule lists name the subject. A firing alert is a fail that fires,
// a resolved one a pass. An alert of no rule that is loaded opens an observation of
// its own. The same alert again, by fingerprint, start and status, changes nothing.
//
// Such evaluations are kept with their source: the evaluator's own streaks do not
// go on from them.
package alerts
