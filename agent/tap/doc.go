// Package tap is a reverse proxy in front of a model server that keeps a copy
// of what passes and is wanted.
//
//	client -> [tap: ServeHTTP] -> model server
//	             | copy, bounded in bytes
//	          [tap: Drain] -> agent/wire -> agent/window
//
// Inference comes first. A request is never delayed for the sake of its copy:
// bodies stream through unchanged while they are copied into pooled memory, the
// finished copy is handed over without waiting, and where there is no room it
// is dropped and counted. A panic in the capture is recovered and counted; the
// request goes on. Requests that nobody wants are proxied and not counted.
//
// All memory that copies hold, from the first byte until Drain is done with
// them, counts against one bound (Options.Queue).
package tap
