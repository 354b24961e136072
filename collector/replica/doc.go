// Package replica gives every data folder batch numbers of its own, so that many
// collectors can write into one store and each is stored exactly once: the store
// is asked about a batch by its number, and two spools count on their own.
//
//	data folder --claims--> a number in the store ------> eras in replica.json
//	spool range (first record) --Batch--> number<<44 | (first - base of its era)
//
// A number is claimed by adding a row and reading back. Whoever then finds its
// row alone has it; who finds another's beside it leaves the number to nobody
// and tries the next. That needs no clock and no compare-and-set: of two that
// claim the same, the one that reads last sees both. It needs that what was
// inserted is read by whoever asks next, as with one server, or with a cluster
// that writes by quorum and reads sequentially.
//
// An era is a number and the record from which it counts. What was cut before an
// era began keeps its number for good, since the store is asked for it by that.
// A new era begins where the store says that the number is another's (the data
// folder came from elsewhere, or the store was changed) and where a number's
// 2^44 batches come to an end. A data folder must not be copied while both copies
// are used: they would count alike. Let the spool run empty before its folder is
// pointed at another store.
package replica
