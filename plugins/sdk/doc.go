// Package sdk is for authors of plugins. A plugin is a program of its own that
// the collector launches and talks gRPC with:
//
//	func main() { sdk.Serve(mysink.New()) }
//
// where mysink implements TicketSink. Everything else (the handshake, TLS
// between the two processes, logs, the end of the process) is done here. Write
// logs with slog; they appear in the collector's log. Never write to standard
// output: the handshake is there.
//
// plugins/conformance checks a finished binary against the contract.
package sdk
