package lineage

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// Row gives the event as the store keeps it: raw is the JSON that Parse read.
// The system is the one that the sender names; empty, the first that the event's
// own names say, if any.
func (e *Event) Row(raw string, system signal.SystemID) model.LineageEvent {
	if system == "" {
		system = e.system()
	}
	row := model.LineageEvent{
		Time: e.Time, System: system, Kind: string(e.Kind), EventType: string(e.Type), RunID: e.RunID,
		Producer: e.Producer, Nodes: e.Nodes(), Event: raw,
	}
	if e.Job.Name != "" {
		row.Job = e.Job.Namespace + "/" + e.Job.Name
	}
	return row
}

// system finds the AI system in the namespaces of inference services.
func (e *Event) system() signal.SystemID {
	for _, namespace := range e.namespaces() {
		if name, own := strings.CutPrefix(namespace, ownNamespace); own && name != "" {
			return signal.SystemID(name)
		}
	}
	return ""
}

func (e *Event) namespaces() []string {
	out := []string{e.Job.Namespace}
	for _, d := range e.datasets() {
		out = append(out, d.Namespace)
		for _, alias := range d.Aliases {
			out = append(out, alias.Namespace)
		}
	}
	return out
}

func (e *Event) datasets() []Dataset {
	all := slices.Concat(e.Inputs, e.Outputs)
	if e.About != nil {
		all = append(all, *e.About)
	}
	return all
}

// Nodes gives the ids that the event names, each once, sorted.
func (e *Event) Nodes() []string {
	var out []string
	if e.RunID != "" {
		out = append(out, runID(e.RunID))
	}
	if e.Job.Name != "" {
		out = append(out, jobID(e.Job.Namespace, e.Job.Name))
	}
	for _, d := range e.datasets() {
		out = append(out, datasetID(d.Namespace, d.Name.Name))
		if d.Version != "" {
			out = append(out, versionID(d.Namespace, d.Name.Name, d.Version))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Edges gives what the event adds to the graph. Events of one run add up: inputs
// may come with START and outputs with COMPLETE.
func (e *Event) Edges(system signal.SystemID) []model.LineageEdge {
	if system == "" {
		system = e.system()
	}
	b := edges{event: e, system: system, seen: map[model.LineageEdge]bool{}}
	job := jobID(e.Job.Namespace, e.Job.Name)
	if e.Kind == RunEvent {
		b.add(job, runID(e.RunID), model.RelationRun)
		if e.Parent != "" {
			b.add(runID(e.Parent), runID(e.RunID), model.RelationParent)
		}
	}
	for _, d := range e.Inputs {
		b.input(job, &d)
	}
	for _, d := range e.Outputs {
		b.output(job, &d)
	}
	if e.About != nil {
		b.dataset(e.About)
	}
	return b.list
}

// edges collects the edges of one event, each once.
type edges struct {
	event  *Event
	system signal.SystemID
	seen   map[model.LineageEdge]bool
	list   []model.LineageEdge
}

func (b *edges) add(from, to string, relation model.LineageRelation) {
	edge := model.LineageEdge{Time: b.event.Time, System: b.system, From: from, To: to, Relation: relation}
	if from != to && !b.seen[edge] {
		b.seen[edge] = true
		b.list = append(b.list, edge)
	}
}

func (b *edges) input(job string, d *Dataset) {
	id, version := b.dataset(d)
	b.add(id, job, model.RelationFlow)
	switch {
	case b.event.Kind != RunEvent:
	case version != "":
		b.add(version, runID(b.event.RunID), model.RelationFlow)
	default:
		b.add(id, runID(b.event.RunID), model.RelationInput)
	}
}

func (b *edges) output(job string, d *Dataset) {
	id, version := b.dataset(d)
	b.add(job, id, model.RelationFlow)
	switch {
	case b.event.Kind != RunEvent:
	case version != "":
		b.add(runID(b.event.RunID), version, model.RelationFlow)
	default:
		b.add(runID(b.event.RunID), id, model.RelationOutput)
	}
}

// dataset adds a dataset's version and other names, and gives its ids.
func (b *edges) dataset(d *Dataset) (id, version string) {
	id = datasetID(d.Namespace, d.Name.Name)
	if d.Version != "" {
		version = versionID(d.Namespace, d.Name.Name, d.Version)
		b.add(id, version, model.RelationVersion)
	}
	for _, alias := range d.Aliases {
		b.add(datasetID(alias.Namespace, alias.Name), id, model.RelationAlias)
		if d.Version != "" {
			b.add(versionID(alias.Namespace, alias.Name, d.Version), version, model.RelationAlias)
		}
	}
	return id, version
}
