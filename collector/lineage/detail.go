package lineage

import (
	"context"
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// What a node is shown with at most.
const (
	shownEdges  = 200
	shownEvents = 10
)

// Detail is a node with what touches it and the newest events about it.
type Detail struct {
	Node   Node   `json:"node"`
	Edges  []Edge `json:"edges"`  // of any relation, the newest first
	Events []Told `json:"events"` // the newest first
}

// Told is an event as the store keeps it.
type Told struct {
	Time   time.Time       `json:"time"`
	System signal.SystemID `json:"system,omitempty"`
	Kind   string          `json:"kind"`
	Type   string          `json:"type,omitempty"` // of a run
	Run    string          `json:"run,omitempty"`
	Event  json.RawMessage `json:"event"` // as it came, facets included
}

// Show gives a node by its id or the end of it; see Resolve.
func Show(ctx context.Context, reader model.LineageReader, text string) (*Detail, error) {
	id, err := Resolve(ctx, reader, text)
	if err != nil {
		return nil, err
	}
	d := &Detail{Edges: []Edge{}, Events: []Told{}}
	if d.Node, err = ParseID(id); err != nil {
		return nil, errs.E("show a node", errs.Corrupt, err, "")
	}
	edges, err := reader.LineageAround(ctx, id, shownEdges)
	if err != nil {
		return nil, err
	}
	for _, e := range edges {
		d.Edges = append(d.Edges, Edge{e.From, e.To, e.Relation, e.Time})
	}
	events, err := reader.LineageEvents(ctx, id, shownEvents)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		d.Events = append(d.Events, Told{e.Time, e.System, e.Kind, e.EventType, e.RunID, json.RawMessage(e.Event)})
	}
	return d, nil
}
