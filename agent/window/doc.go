// Package window counts decoded rows into windows: per feature the cells of
// the baseline, moments, missing and new values, and per protected attribute
// the favourable outcomes of each group.
//
//	agent/wire -> Observation -> [window: Set -> Profiler] -> Closed -> agent/export
//
// A Profiler belongs to one version of one model; a Set holds the profilers of
// all models and makes one for each version that it meets. Windows close by
// time, aligned to multiples of their length since the Unix epoch, or by a
// count of rows; every window is handed over, also an empty one, so that
// silence can be told from loss. Raw values never leave the package: what
// leaves is counts and sums.
//
// What a profiler reads of an observation are sources, one for each column that
// somebody reads. Columns count their own values. Derivations count what the
// baseline makes of several columns or of a row:
//
//	source -> column                        cells and moments of one column
//	       -> jointCount  -> columns, sums  columns projected together, and a kernel's sums
//	       -> textCount   -> columns        what a text is made of
//	       -> rowSketch   -> sketch         how many rows are different
//	       -> estimate    -> sums           what scores promise of the performance
//	       -> changeWatch                   change points of an answer, for display
//	       -> groupTable  -> groups         favourable outcomes by group
//
// Groups that are too small to be told are carried over to a later window; a
// file, Carries, keeps them over a restart, as Sequences keeps window numbers.
//
// Every exported method of Profiler, Set, Sequences and Carries may be called
// from several goroutines at once. A profiler counts under one lock that is taken
// once for each observation, and hands windows to its sink one after the other,
// in order, while no lock is held that a reader of its counts waits for. A sink
// must not make the same profiler close windows. Counting a row allocates nothing
// but for a group that is new to the window and a request larger than any before.
package window
