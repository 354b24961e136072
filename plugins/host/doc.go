// Package host launches plugins as child processes and keeps them running.
//
//	collector/notify -> Plugin (an sdk.TicketSink) -> gRPC with TLS -> child process
//
// A plugin that dies is started again with growing pauses; while it is down
// every call fails with errs.Unavailable, so that the outbox tries again. The
// child runs in its own process group, so that a Ctrl-C reaches only us, and
// dies with us, even when we are killed. It sees next to nothing of our
// environment; its configuration and secrets reach it over gRPC.
package host
