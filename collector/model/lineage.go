package model

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// LineageRelation says what an edge of the lineage means.
type LineageRelation string

// The relations. Data goes along the first three.
const (
	RelationFlow    LineageRelation = "flow"    // dataset to job, job to dataset; version to run, run to version
	RelationInput   LineageRelation = "input"   // a dataset whose version is not known, to a run
	RelationOutput  LineageRelation = "output"  // a run, to a dataset whose version is not known
	RelationAlias   LineageRelation = "alias"   // two names of one dataset
	RelationVersion LineageRelation = "version" // a dataset, to one of its versions
	RelationRun     LineageRelation = "run"     // a job, to one of its runs
	RelationParent  LineageRelation = "parent"  // a run, to one that it started
)

// LineageEdge joins two nodes, by their ids (package lineage). The same edge
// again is one row, with the newest time.
type LineageEdge struct {
	Time     time.Time // of the event that says so
	System   signal.SystemID
	From, To string
	Relation LineageRelation
}

// LineageSide is a direction of the lineage.
type LineageSide string

// The two sides of a node.
const (
	Upstream   LineageSide = "up"   // what it was made from
	Downstream LineageSide = "down" // what was made from it
)

// LineageReader answers questions about where data came from.
type LineageReader interface {
	// LineageFlows gives the edges to walk from nodes to one side: those of the
	// flow, aliases whichever way they stand, and the datasets that versions are
	// of. Of each edge the newest, at most limit, ordered by from, to and relation.
	LineageFlows(ctx context.Context, nodes []string, side LineageSide, limit int) ([]LineageEdge, error)
	// LineageAround gives the edges of any relation that touch a node, the newest
	// first, at most limit.
	LineageAround(ctx context.Context, node string, limit int) ([]LineageEdge, error)
	// LineageNamed gives the ids of nodes whose id is text or ends in it behind one
	// of "#", "/" and ":", without those of runs, ordered, at most limit.
	LineageNamed(ctx context.Context, text string, limit int) ([]string, error)
	// LineageEvents gives the newest events that name a node, at most limit.
	LineageEvents(ctx context.Context, node string, limit int) ([]LineageEvent, error)
	// PredictionsOf gives the answers to a request, by system, model and row, at
	// most limit; an empty system means any.
	PredictionsOf(ctx context.Context, system signal.SystemID, id string, limit int) ([]signal.Prediction, error)
	// WindowsOf gives the windows of an instance and model version that hold an
	// instant, by sequence.
	WindowsOf(ctx context.Context, system signal.SystemID, m signal.ModelRef, instance signal.InstanceID, at time.Time) ([]CountedWindow, error)
}

// CountedWindow is a stored window event, without its counts.
type CountedWindow struct {
	ID       signal.WindowID
	Start    time.Time
	End      time.Time
	Baseline signal.Digest // that it was compared with; empty: none
	Lineage  []signal.LineageCount
}
