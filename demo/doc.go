// Package demo shows the main job in one command: from an inference request to
// an open nonconformity, with the real programs and real sockets.
//
//	stream -> evenkeel-agent -> model server          a Scenario makes both ends
//	               |
//	            journal  (writes down what was acknowledged)
//	               v
//	       evenkeel-collector -> webhook plugin -> receiver
//	               ^
//	            watcher  (asks by REST, and narrates)
//
// The agent, the collector, its engine and its plugin are processes of their
// own; the rest lives in the demo's process. Everything is on loopback and in
// one folder, and both are gone at the end.
package demo
