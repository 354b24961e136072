// Package notify hands the life of every record to the plugins. It is an
// outbox:
//
//	register.Journal -> one worker for each sink -> Create or Update -> model.Delivery
//
// The journal is the queue, so nothing waits in memory: an event without a
// settled delivery for a sink is still to be handed over, before and after a
// restart. Each event arrives at least once, with an id by which the sink
// tells repeats, and the events of one record arrive in order. What fails for
// now is tried again with growing pauses, and holds back only its own record;
// what is refused for good is recorded as such and shown.
package notify
