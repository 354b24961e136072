// Package tap is a reverse proxy in front of a model server that keeps a copy
// of what passes and is wanted.
//
//	client -> [tap: ServeHTTP] -> [link] -> model server
//	             | copy, bounded in bytes
//	          [tap: Drain] -> agent/wire -> agent/window
//
// Inference comes first. A request is never delayed for the sake of its copy:
// bodies stream through unchanged while they are copied into pooled memory, the
// finished copy is handed over without waiting, and where there is no room it
// is dropped and counted. A panic in the capture is recovered and counted; the
// request goes on. Requests that nobody wants are proxied and not counted.
//
// gRPC is forwarded over net/http's HTTP/2, all else over HTTP/1.1 connections of
// our own (links): what a request costs is decided there, and what the model
// server learns of a client that leaves. One passage is one request on its way
// over one link.
//
// All memory that copies hold, from the first byte until Drain is done with
// them, counts against one bound (Options.Queue).
package tap
