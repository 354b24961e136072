// Package lineage reads OpenLineage events, says what graph they make, and walks
// it.
//
//	OpenLineage 2-0-2 (API, evenkeel.lineage.run) -> Parse -> Event -> Edges, Nodes -> store
//	store -> Walk (up, down, both) -> Graph -> api, evenkeel lineage
//	prediction id -> Trace -> run, model version, baseline, windows, training data
//
// The graph has two levels. Jobs and datasets are what there is in general;
// runs and versions of datasets are what there was once. A walk that begins at a
// run or a version stays on the exact level as long as events say which version
// was read or written, and goes on in general where they do not.
//
// A node's id is its kind and name: job:NAMESPACE#NAME, run:UUID,
// dataset:NAMESPACE#NAME and dataset:NAMESPACE#NAME@VERSION. In names % # and @
// are written as %25, %23 and %40.
package lineage
