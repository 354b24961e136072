// Package spool is the collector's durable queue: what it has taken is on disk
// before anybody is told so, and leaves only when the store has it.
//
//	ingest -> Append (returns after the fsync) -> segments on disk
//	segments -> Cut (a range, durable before use) -> drain -> store -> Confirm
//
// A folder holds segments of frames, a journal of cuts, a lock, and a folder
// quarantine for what was damaged or refused. One goroutine writes; everything
// that waits while it syncs goes into the next group and shares one fsync.
//
// # What holds
//
// Sequence numbers grow and never repeat, not even when somebody empties the
// folder: a new one starts at the clock's microseconds. A cut range keeps its
// first and last record for good, so that after a crash the same number names
// the same records. Frames carry checksums; a damaged one costs itself and
// nothing else, and its bytes are kept aside, as are those of a write that did
// not end. Senders choose what is in a record: bytes in a damaged one that look
// like a frame count as one only if they bear a number that can stand there.
//
// Bodies of Options.PackAbove bytes and more lie on disk compressed, where that
// makes them shorter, and come back as they were: less to sync, and a store that
// is away for longer fits. Bytes in Options.Max are those on disk, those of a
// batch those in memory.
//
// A full disk refuses entries and keeps nothing from being emptied: see
// ballast.go. Reading holds one record or one batch in memory at a time.
//
// # Repeated requests
//
// An entry with a sender's batch name is a duplicate if the same name came
// with the same content before: as long as the record waits here, and
// Options.RememberSender after the store confirmed it. An entry without a name
// is a duplicate if the same content came less than Options.RememberContent
// ago, by a clock that does not follow when the machine's is set, and that
// stands still while nobody has the spool open. Both hold across restarts: for
// waiting records, whose time begins again, they are rebuilt from the records
// themselves, for confirmed ones from the journal. The journal's
// note of a confirmation is synced with the next cut or before a segment is
// removed; a crash before that leaves the record itself, which serves as well.
// Memory for confirmed names is bounded by Options.Remember entries of each
// kind; beyond it the oldest are forgotten and counted (Stats.Forgotten), and
// for those a repeated request is stored again.
package spool
