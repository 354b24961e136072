// Package intake takes payloads that somebody else has logged, as CloudEvents
// over HTTP: a request and its answer are two events of one id. KServe's
// inference logger sends such, and so do brokers that pass them on.
//
//	logger -> [intake: ServeHTTP -> pairs] -> Drain -> agent/wire -> agent/window
//
// No inference passes here: nothing can be delayed or harmed by it. Events come
// at least once, in any order, and one of two may be lost. So the first half of
// an exchange waits for the other, for a bounded time in bounded memory, and is
// counted where it waits in vain. An exchange that was paired is remembered for
// as long, so that an event that comes twice counts once.
//
// Loggers tell of answers with a status of 200 only, and not why another is
// missing. A request without an answer may have been refused, or lost: it counts
// as dropped, which is the cautious reading.
package intake
