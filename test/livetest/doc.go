// Package livetest is what tests of the whole stand on that bring programs of
// others: the real collector with its own engine, our programs as they are
// built, and foreign ones that are run to their end.
//
//	func TestMain(m *testing.M) { livetest.Main(m) }
//
//	site := livetest.StartCollector(t, nil) // foreign clients write to it
//	store := site.Open(t)                   // it is stopped, its data opened
//
// The collector runs in the test's process, from the same Run that the program
// calls, so nothing has to be built for it; its engine is a child process as
// always. What is counted is counted after it has stopped, by an engine that
// knows only the files.
package livetest
