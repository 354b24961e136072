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
// leaves is counts.
//
// Every exported method of Profiler, Set and Sequences may be called from
// several goroutines at once. A profiler counts under one lock that is taken
// once for each observation, and hands windows to its sink one after the other,
// in order, while no lock is held that a reader of its counts waits for. A sink
// must not make the same profiler close windows.
package window
