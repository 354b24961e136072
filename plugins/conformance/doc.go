// Package conformance checks a plugin's finished program against the contract
// of sdk.TicketSink, through the same host that the collector uses. Authors
// call Run from a test of their own.
package conformance
