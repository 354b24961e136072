package lineage

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

// maxRows bounds the rows of one request that are traced.
const maxRows = 100

// Origin is what stood behind one answered row.
type Origin struct {
	System   signal.SystemID   `json:"system"`
	Model    signal.ModelRef   `json:"model"`
	Instance signal.InstanceID `json:"instance"`
	ID       string            `json:"id"`
	Row      uint32            `json:"row"`
	Time     time.Time         `json:"time"`
	Value    string            `json:"value,omitempty"`
	Score    *float64          `json:"score,omitempty"` // of the positive outcome
	TraceID  string            `json:"trace_id,omitempty"`

	Run          string        `json:"run,omitempty"`          // node of the service's run that answered
	DeclaredRun  string        `json:"declared_run,omitempty"` // node of the run that the agent's configuration or a header named
	Digests      []Digest      `json:"digests"`                // of what stood behind the answer
	ModelNode    string        `json:"model_node"`             // of the model's version
	Baseline     signal.Digest `json:"baseline,omitempty"`     // it was compared with
	Windows      []Window      `json:"windows"`                // in which it was counted
	TrainingData []Node        `json:"training_data"`          // datasets upstream of the model's version, nearest first
	Upstream     *Graph        `json:"upstream,omitempty"`     // of the run, or where none is known of the model's version
	Unknown      []string      `json:"unknown,omitempty"`      // what no event says, and which would
}

// Window is one that counted the row.
type Window struct {
	ID       string                `json:"window"`
	Start    time.Time             `json:"start"`
	End      time.Time             `json:"end"`
	Baseline signal.Digest         `json:"baseline,omitempty"`
	Lineage  []signal.LineageCount `json:"lineage,omitempty"` // what stood behind its requests
}

// Digest names a thing that stood behind an answer.
type Digest struct {
	Part   signal.LineagePart `json:"part"`
	Digest string             `json:"digest"`
}

// Trace says what stood behind the answers to a request: one for each row, by
// system, model and row. An empty system means any. A request that is not
// stored is errs.NotFound.
func Trace(ctx context.Context, reader model.LineageReader, system signal.SystemID, id string) ([]Origin, error) {
	const op = "trace a prediction"
	if id == "" || len(id) > signal.MaxPredictionID {
		return nil, errs.E(op, errs.Invalid, fmt.Errorf("an id has 1 to %d bytes", signal.MaxPredictionID), "")
	}
	found, err := reader.PredictionsOf(ctx, system, id, maxRows)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errs.E(op, errs.NotFound, fmt.Errorf("no prediction %q is stored", id),
			"agents send single predictions where predictions.send of the model is true")
	}
	t := tracer{reader: reader, models: map[string]*Graph{}, runs: map[string]*Graph{}}
	out := make([]Origin, 0, len(found))
	for i := range found {
		o, err := t.origin(ctx, &found[i])
		if err != nil {
			return nil, err
		}
		out = append(out, *o)
	}
	return out, nil
}

// tracer remembers the walks of one request: its rows have them in common.
type tracer struct {
	reader       model.LineageReader
	models, runs map[string]*Graph
}

func (t *tracer) origin(ctx context.Context, p *signal.Prediction) (*Origin, error) {
	o := &Origin{
		System: p.System, Model: p.Model, Instance: p.Instance, ID: p.ID, Row: p.Row, Time: p.Time, Value: p.Value,
		TraceID: p.TraceID, Baseline: p.Baseline, Windows: []Window{}, TrainingData: []Node{}, Digests: digests(&p.Lineage),
		ModelNode: ModelVersionID(string(p.System), p.Model.Name, p.Model.Version),
	}
	if !math.IsNaN(p.Score) {
		o.Score = &p.Score
	}
	windows, err := t.reader.WindowsOf(ctx, p.System, p.Model, p.Instance, p.Time)
	if err != nil {
		return nil, err
	}
	for _, w := range windows {
		o.Windows = append(o.Windows, Window{w.ID.String(), w.Start, w.End, w.Baseline, w.Lineage})
	}
	if o.Baseline == "" && len(windows) > 0 {
		o.Baseline = windows[0].Baseline
	}
	if err := t.walks(ctx, o, p); err != nil {
		return nil, err
	}
	o.unknown()
	return o, nil
}

// digests gives the parts that are known and no run.
func digests(l *signal.Lineage) []Digest {
	out := []Digest{}
	for _, part := range signal.LineageParts() {
		if part != signal.PartRun && l[part] != "" {
			out = append(out, Digest{part, l[part]})
		}
	}
	return out
}

// walks goes upstream of the runs and of the model's version.
func (t *tracer) walks(ctx context.Context, o *Origin, p *signal.Prediction) error {
	made, err := upstream(ctx, t.reader, t.models, o.ModelNode)
	if err != nil {
		return err
	}
	o.Upstream = made
	o.madeFrom(made)
	if declared := p.Lineage[signal.PartRun]; declared != "" {
		o.DeclaredRun = RunID(declared)
		deployed, err := upstream(ctx, t.reader, t.runs, o.DeclaredRun)
		if err != nil {
			return err
		}
		o.madeFrom(deployed)
	}
	if p.Run == "" {
		return nil
	}
	o.Run = RunID(p.Run)
	served, err := upstream(ctx, t.reader, t.runs, o.Run)
	if served != nil {
		o.Upstream = served
	}
	return err
}

// madeFrom takes over the datasets of a graph, each once; nil: there are none.
func (o *Origin) madeFrom(g *Graph) {
	if g == nil {
		return
	}
	for _, n := range g.Nodes {
		data := (n.Kind == KindDataset || n.Kind == KindVersion) && n.Role == ""
		if data && !slices.ContainsFunc(o.TrainingData, func(known Node) bool { return known.ID == n.ID }) {
			o.TrainingData = append(o.TrainingData, n)
		}
	}
}

// upstream walks up once; nil where no event names the node.
func upstream(ctx context.Context, reader model.LineageReader, known map[string]*Graph, node string) (*Graph, error) {
	if g, asked := known[node]; asked {
		return g, nil
	}
	g, err := Walk(ctx, reader, node, string(model.Upstream), 0)
	if err != nil && errs.KindOf(err) != errs.NotFound {
		return nil, err
	}
	known[node] = g
	return g, nil
}

// unknown says what cannot be told, so that nobody takes silence for an answer.
func (o *Origin) unknown() {
	if o.Run == "" {
		o.Unknown = append(o.Unknown, "which run of the service answered: the prediction names none")
	}
	if !slices.ContainsFunc(o.Digests, func(d Digest) bool { return d.Part == signal.PartModel }) {
		o.Unknown = append(o.Unknown, "which model's file or image answered: the prediction has no digest of it; set digests.model of the model at its agent")
	}
	if o.Baseline == "" {
		o.Unknown = append(o.Unknown, "which baseline it was compared with: neither the prediction nor a window names one")
	}
	if len(o.Windows) == 0 {
		o.Unknown = append(o.Unknown, "in which window it was counted: none of that instance holds its time, or it has not come yet")
	}
	if len(o.TrainingData) == 0 {
		o.Unknown = append(o.Unknown, fmt.Sprintf("what the model was trained on: no event has inputs and the output %s", o.ModelNode))
	}
}
