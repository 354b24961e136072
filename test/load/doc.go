// Package load measures what the agent's program costs before a model server:
// its size, its memory under load, and its CPU while nothing comes.
//
//	EVENKEEL_LOAD=1 go test -count 1 -v ./test/load
package load
