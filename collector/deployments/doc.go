// Package deployments holds what is in service against what people approved:
//
//	people approve, withdraw ─> register (chained events)
//	windows, changes told ─┐
//	approvals ─────────────┴─> evenkeel.lineage.unapproved, evenkeel.change.unapproved ─> LIN-02, LIN-03
//
// An approval names a version of a model, the digests of what stands behind its
// answers, or both. Each thing in service is looked up by itself: a digest of a
// prompt is approved where some approval of the model names it as one.
package deployments
