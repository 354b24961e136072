// Package span chooses which requests are told as OpenTelemetry spans, and says
// which of them a window was made of.
//
//	request -> Add -> candidates of this moment -> Take -> Spans -> export
//	window  -> Close -> one span with links to requests that it counted --^
//
// Requests are candidates by their id, as the rate says, and whatever the rate
// those that failed and those that took longer than nearly all before them. How
// many of them become spans is bounded for each interval: errors go first, then
// the slowest, then the share by id. The choice is made at the end of an interval
// or of a window, so no request waits for it and none can be told beforehand
// whether it will have a span. For that reason the context that a client sent goes
// on to the model server as it came: a name that is never sent would cut the
// server's own spans off from the client's.
//
// Nothing here holds a value of a request or of an answer.
package span
