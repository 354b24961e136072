// Package register turns verdicts into records of clause 10.2.
//
//	evaluate -> Consume -> RegisterEvent -> model.Writer
//	                          |
//	                          +-> Record (a projection) -> api, notify
//
// A record is nothing but the fold of its events. Events are appended, chained
// by hash for each record, and never changed, so the same events give the same
// records after every restart and a changed byte is found. One writer, behind
// one mutex, keeps at most one open record for each deduplication key.
//
// A rule that fails while firing opens a nonconformity where its criterion has
// been approved for the system, else an observation. Approval later does not
// reach back: the next failing evaluation promotes the observation. Nothing
// here closes a record.
package register
