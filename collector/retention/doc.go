// Package retention drops what was measured long ago, by whole days, where the
// configuration says how long it is kept.
//
//	store: days of tables --+
//	register: open records -+-> Plan: what goes, what an open record holds -> Pass: drop, count, log
//
// Only raw evidence goes: samples, windows of single agents, predictions and
// labels, spans, logs, lineage events. Verdicts, sealed windows, baselines and
// records stay: they wait for a ledger in which what goes can be sealed first.
//
// A day stays as long as a record that is not closed may rest on it: from before
// the first window that failed until the last one that was judged. Tables have no
// TTL, since merges would apply one when they like.
package retention
