// Package faults kills the collector and its engine, and counts afterwards.
//
// A sender of its own keeps a journal of the ids whose requests were
// acknowledged. The real program, built with fault points, is killed with -9
// at each of them and at random moments, then started again. In the end every
// acknowledged id must be in the store exactly once; one that was never
// acknowledged may be there once or not at all.
//
//	go test ./test/faults                             each fault point, a few random kills
//	EVENKEEL_KILLS=200 go test -timeout 1h ./test/faults   many random kills
package faults
