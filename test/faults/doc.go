// Package faults does to the collector and its engine what machines do, and
// counts afterwards.
//
// Senders of their own keep a journal of the ids whose requests were
// acknowledged: windows, metrics, traces and predictions, with the header
// Evenkeel-Batch and without. The real program, built with fault points, is killed with -9
// at each of them and at random moments, its engine too; its disk gets full, its
// server goes away, its clock is set, requests come ten times, a second collector
// wants its folder. In the end every acknowledged id must be in the store exactly
// once; one that was never acknowledged may be there once or not at all. A table
// at the end says so for each scenario.
//
//	go test ./test/faults    a few kills
//	make test-faults         200 kills, and the tests of every byte of a spool
package faults
