package lineage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Bounds of a walk.
const (
	DefaultDepth = 10
	MaxDepth     = 50
	MaxNodes     = 1000
	maxEdges     = 20_000 // read for one step
)

// Both is the direction that goes up and, from the same start, down.
const Both = "both"

// Graph is what a walk found, nodes by depth and id.
type Graph struct {
	Node  string `json:"node"` // where it began
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
	// Truncated says that there is more than Depth steps away, or more than the
	// bounds let in.
	Truncated bool `json:"truncated,omitempty"`
}

// Edge is an edge as it is shown.
type Edge struct {
	From     string                `json:"from"`
	To       string                `json:"to"`
	Relation model.LineageRelation `json:"relation"`
	SeenAt   time.Time             `json:"seen_at"` // the newest event that says so
}

// Walk gives what a node was made from (up), what was made from it (down), or
// both, at most depth steps away; 0 means DefaultDepth. Each node is there once,
// so cycles end. A node that no event names is errs.NotFound.
func Walk(ctx context.Context, reader model.LineageReader, start, direction string, depth int) (*Graph, error) {
	const op = "walk the lineage"
	depth = cmp.Or(depth, DefaultDepth)
	if depth < 1 || depth > MaxDepth {
		return nil, errs.E(op, errs.Invalid, fmt.Errorf("a depth of %d", depth), fmt.Sprintf("ask for 1 to %d steps", MaxDepth))
	}
	id, err := Resolve(ctx, reader, start)
	if err != nil {
		return nil, err
	}
	w := newWalk(reader, id, depth)
	switch direction {
	case string(model.Upstream), string(model.Downstream):
		err = w.walk(ctx, model.LineageSide(direction))
	case Both, "":
		err = errors.Join(w.walk(ctx, model.Upstream), w.walk(ctx, model.Downstream))
	default:
		return nil, errs.E(op, errs.Invalid, fmt.Errorf("direction %q", direction), "ask for up, down or both")
	}
	if err != nil {
		return nil, err
	}
	return w.result()
}

// Resolve gives the id that is meant: an id, or the end of one that no other
// node's shares.
func Resolve(ctx context.Context, reader model.LineageReader, text string) (string, error) {
	const op = "find a node"
	if text == "" || len(text) > maxID {
		return "", errs.E(op, errs.Invalid, errors.New("no node, or too long a one"), "name one, for example dataset:NAMESPACE#NAME")
	}
	if around, err := reader.LineageEvents(ctx, text, 1); err != nil || len(around) > 0 {
		return text, err
	}
	if _, err := ParseID(text); err == nil { // as an alias, a parent or a job's input it may have edges and no event
		if edges, err := reader.LineageAround(ctx, text, 1); err != nil || len(edges) > 0 {
			return text, err
		}
	}
	found, err := reader.LineageNamed(ctx, text, 11)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", errs.E(op, errs.NotFound, fmt.Errorf("no event names %q", cut(text)), "an id is job:NAMESPACE#NAME, dataset:NAMESPACE#NAME, dataset:NAMESPACE#NAME@VERSION or run:UUID; the end of a name will do")
	case len(found) > 1:
		return "", errs.E(op, errs.Invalid, fmt.Errorf("%q may be one of %s", cut(text), strings.Join(found[:min(len(found), 10)], ", ")), "name one of them")
	}
	return found[0], nil
}

// walker is one question under way.
type walker struct {
	reader    model.LineageReader
	start     string
	depth     int
	nodes     map[string]int // id -> depth
	edges     map[[2]string]model.LineageEdge
	truncated bool
}

func newWalk(reader model.LineageReader, start string, depth int) *walker {
	return &walker{reader: reader, start: start, depth: depth, nodes: map[string]int{start: 0}, edges: map[[2]string]model.LineageEdge{}}
}

// walk goes to one side, breadth first. What the other side found before is
// not in the way.
func (w *walker) walk(ctx context.Context, side model.LineageSide) error {
	visited := map[string]bool{w.start: true}
	for step, border := 1, []string{w.start}; len(border) > 0; step++ {
		found, err := w.reader.LineageFlows(ctx, border, side, maxEdges+1)
		if err != nil {
			return err
		}
		if len(found) > maxEdges {
			found, w.truncated = found[:maxEdges], true
		}
		steps := w.choose(found, border, side)
		if step > w.depth {
			w.truncated = w.truncated || slices.ContainsFunc(steps, func(s hop) bool { return !visited[s.to] })
			return nil
		}
		var next []string
		for _, s := range steps {
			if _, known := w.nodes[s.to]; !known {
				if len(w.nodes) >= MaxNodes {
					w.truncated = true
					continue
				}
				w.nodes[s.to] = step
			}
			w.edges[[2]string{s.edge.From, s.edge.To}] = s.edge
			if !visited[s.to] {
				visited[s.to] = true
				next = append(next, s.to)
			}
		}
		border = next
	}
	return nil
}

// hop is one step of a walk.
type hop struct {
	to   string
	edge model.LineageEdge
}

// choose gives the steps from the border: along the flow and to other names; to
// a version's dataset only where nothing is known of the version itself.
func (w *walker) choose(found []model.LineageEdge, border []string, side model.LineageSide) []hop {
	at, exact := map[string]bool{}, map[string]bool{}
	for _, id := range border {
		at[id] = true
	}
	var steps, general []hop
	for _, e := range found {
		near, far := e.To, e.From
		if side == model.Downstream {
			near, far = e.From, e.To
		}
		switch {
		case e.Relation == model.RelationVersion:
			if at[e.To] {
				general = append(general, hop{e.From, e})
			}
			continue
		case e.Relation == model.RelationAlias:
			if at[e.From] {
				exact[e.From] = true
				steps = append(steps, hop{e.To, e})
			}
			if at[e.To] {
				exact[e.To] = true
				steps = append(steps, hop{e.From, e})
			}
			continue
		case at[near]:
			exact[near] = true
			steps = append(steps, hop{far, e})
		}
	}
	for _, g := range general {
		if !exact[g.edge.To] {
			steps = append(steps, g)
		}
	}
	return steps
}

// result orders what was found.
func (w *walker) result() (*Graph, error) {
	g := &Graph{Node: w.start, Truncated: w.truncated, Nodes: []Node{}, Edges: []Edge{}}
	for id, depth := range w.nodes {
		n, err := ParseID(id)
		if err != nil {
			return nil, errs.E("read the lineage", errs.Corrupt, err, "")
		}
		n.Depth = depth
		g.Nodes = append(g.Nodes, n)
	}
	slices.SortFunc(g.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), strings.Compare(a.ID, b.ID))
	})
	for _, e := range w.edges {
		g.Edges = append(g.Edges, Edge{e.From, e.To, e.Relation, e.Time})
	}
	slices.SortFunc(g.Edges, func(a, b Edge) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return g, nil
}
