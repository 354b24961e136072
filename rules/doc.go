// Package rules reads the rule files that carry the requirements of clause 9.1:
// what is monitored, how, when, by whom, and which limits make a value a fail.
//
//	packs/*.yaml (embedded) ─┐
//	files of one's own ──────┼─> Load ─> Set ─For(system)─> []*Effective
//	overrides per system ────┘
//
// A rule that leaves out what clause 9.1 asks for does not load; every fault is
// reported with file, line and path. An Effective is a rule as it holds for one
// system, with its digest: collector/fleet takes the window lengths from it,
// collector/evaluate the expression and the limits, collector/register what a
// fail opens.
//
// The package parses no PromQL, so that it stays light: Load takes the parser
// as a function (collector/query.Check).
package rules
