// Package e2e tests the whole: the programs as they are shipped, started as
// processes, talking over real sockets to a real engine and a real plugin.
//
//	TestDemoOnce             the account of evenkeel demo --once --json
//	TestDemoData             the same over a file of one's own
//	TestDemoLive             every query of the dashboards, nc list and ack, Ctrl-C
//	TestDemoKilled           nothing survives the kill -9 of its parent
//	TestDemoInterrupted...   nor does anything survive a Ctrl-C while it starts
//	TestInferenceUndisturbed clients notice nothing of a collector that is down, slow or full
package e2e
