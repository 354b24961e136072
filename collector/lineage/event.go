package lineage

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/signal"
)

// What one event may hold at most.
const (
	MaxDatasets = 10_000 // inputs, and outputs
	maxText     = 1024   // bytes of a namespace, name or version
)

// The times that are taken, around when an event is received: each day is a
// partition of its own in the store.
const (
	oldest = 10 * 366 * 24 * time.Hour
	ahead  = 24 * time.Hour
)

// EventKind is which of OpenLineage's events one is.
type EventKind string

// The kinds of events.
const (
	RunEvent     EventKind = "run"
	JobEvent     EventKind = "job"
	DatasetEvent EventKind = "dataset"
)

// Event is what of an OpenLineage event makes the graph. Facets stay in the
// event's own JSON.
type Event struct {
	Kind     EventKind
	Type     signal.RunEventType // of a run; empty where the event says none
	Time     time.Time
	Producer string
	RunID    string // lower case; of a run
	Parent   string // the run that started it; may be empty
	Job      Name   // of a run or job
	Inputs   []Dataset
	Outputs  []Dataset
	About    *Dataset // of a dataset event
}

// Name is how OpenLineage names jobs and datasets.
type Name struct{ Namespace, Name string }

// Dataset is one that is read, written or told of.
type Dataset struct {
	Name
	Version string // empty: not said
	Aliases []Name // other names of the same data
}

// rawEvent is the JSON of all three kinds.
type rawEvent struct {
	EventType string       `json:"eventType"`
	EventTime string       `json:"eventTime"`
	Producer  string       `json:"producer"`
	SchemaURL string       `json:"schemaURL"`
	Run       *rawRun      `json:"run"`
	Job       *rawJob      `json:"job"`
	Dataset   *rawDataset  `json:"dataset"`
	Inputs    []rawDataset `json:"inputs"`
	Outputs   []rawDataset `json:"outputs"`
}

type rawRun struct {
	RunID  string `json:"runId"`
	Facets struct {
		Parent *struct {
			Run struct {
				RunID string `json:"runId"`
			} `json:"run"`
		} `json:"parent"`
	} `json:"facets"`
}

type rawJob struct {
	Namespace string                     `json:"namespace"`
	Name      string                     `json:"name"`
	Facets    map[string]json.RawMessage `json:"facets"`
}

type rawDataset struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Facets    struct {
		Version *struct {
			Version string `json:"datasetVersion"`
		} `json:"version"`
		Symlinks *struct {
			Identifiers []Name `json:"identifiers"`
		} `json:"symlinks"`
	} `json:"facets"`
}

// Parse reads an event and checks what the specification (2-0-2) requires of a
// RunEvent, JobEvent or DatasetEvent. The error names every field at fault, by
// its path. An eventTime without an offset is taken as UTC, as some clients
// write it.
func Parse(raw []byte, received time.Time) (*Event, error) {
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8")
	}
	var r rawEvent
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, jsonFault(err)
	}
	p := parser{received: received}
	e := p.event(&r)
	if len(p.faults) > 0 {
		return nil, errors.Join(p.faults...)
	}
	return e, nil
}

// jsonFault says where a value of another type stands.
func jsonFault(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Errorf("%s: a JSON %s stands here", wrong.Field, wrong.Value)
	}
	return fmt.Errorf("not the JSON of an OpenLineage event: %w", err)
}

// parser collects faults with their paths.
type parser struct {
	received time.Time
	faults   []error
}

// maxFaults bounds what one event is told.
const maxFaults = 20

func (p *parser) fault(path, format string, args ...any) {
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, fmt.Errorf("%s: "+format, append([]any{path}, args...)...))
	}
}

func (p *parser) event(r *rawEvent) *Event {
	e := &Event{Producer: r.Producer, Time: p.time(r.EventTime)}
	p.text("producer", r.Producer)
	p.text("schemaURL", r.SchemaURL)
	switch {
	case r.Run != nil:
		e.Kind = RunEvent
		p.run(e, r)
	case r.Dataset != nil && r.Job == nil:
		e.Kind = DatasetEvent
		about := p.dataset("dataset", r.Dataset)
		e.About = &about
		return e
	case r.Job != nil && r.Dataset == nil:
		e.Kind = JobEvent
	default:
		p.fault("run, job, dataset", "an event is about a run and its job, a job, or a dataset")
		return e
	}
	if r.Job == nil {
		p.fault("job", "missing")
		return e
	}
	e.Job = p.name("job", r.Job.Namespace, r.Job.Name)
	e.Inputs = p.datasets("inputs", r.Inputs)
	e.Outputs = p.datasets("outputs", r.Outputs)
	return e
}

// run reads what is only of runs. An event type may be missing: the
// specification does not require it.
func (p *parser) run(e *Event, r *rawEvent) {
	e.Type = signal.RunEventType(strings.ToUpper(r.EventType))
	switch e.Type {
	case "", signal.RunStart, signal.RunRunning, signal.RunComplete, signal.RunAbort, signal.RunFail, signal.RunOther:
	default:
		p.fault("eventType", "%q is none of START, RUNNING, COMPLETE, ABORT, FAIL and OTHER", r.EventType)
	}
	e.RunID = p.uuid("run.runId", r.Run.RunID)
	if parent := r.Run.Facets.Parent; parent != nil {
		e.Parent = p.uuid("run.facets.parent.run.runId", parent.Run.RunID)
	}
}

func (p *parser) uuid(path, text string) string {
	if text == "" {
		p.fault(path, "missing")
		return ""
	}
	id, err := uuid.Parse(text)
	if err != nil || len(text) != 36 {
		p.fault(path, "%q is no UUID", cut(text))
	}
	return id.String()
}

// timeForms are RFC 3339, and the same without an offset.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"}

func (p *parser) time(text string) time.Time {
	if text == "" {
		p.fault("eventTime", "missing")
		return time.Time{}
	}
	for _, form := range timeForms {
		t, err := time.Parse(form, text)
		if err != nil {
			continue
		}
		if t.Before(p.received.Add(-oldest)) || t.After(p.received.Add(ahead)) {
			p.fault("eventTime", "%s is more than ten years before or a day after it is received", cut(text))
		}
		return t.UTC()
	}
	p.fault("eventTime", "%q is not RFC 3339, as 2026-01-15T18:13:10Z", cut(text))
	return time.Time{}
}

func (p *parser) text(path, text string) {
	switch {
	case text == "":
		p.fault(path, "missing")
	case len(text) > maxText:
		p.fault(path, "%d bytes, more than %d", len(text), maxText)
	}
}

func (p *parser) name(path, namespace, name string) Name {
	p.text(path+".namespace", namespace)
	p.text(path+".name", name)
	return Name{namespace, name}
}

func (p *parser) datasets(path string, all []rawDataset) []Dataset {
	if len(all) > MaxDatasets {
		p.fault(path, "%d datasets, more than %d", len(all), MaxDatasets)
		return nil
	}
	out := make([]Dataset, 0, len(all))
	for i := range all {
		out = append(out, p.dataset(fmt.Sprintf("%s[%d]", path, i), &all[i]))
	}
	return out
}

// maxAliases bounds the other names of a dataset.
const maxAliases = 100

func (p *parser) dataset(path string, r *rawDataset) Dataset {
	d := Dataset{Name: p.name(path, r.Namespace, r.Name)}
	if v := r.Facets.Version; v != nil {
		d.Version = v.Version
		p.text(path+".facets.version.datasetVersion", v.Version)
	}
	if s := r.Facets.Symlinks; s != nil {
		if len(s.Identifiers) > maxAliases {
			p.fault(path+".facets.symlinks.identifiers", "%d names, more than %d", len(s.Identifiers), maxAliases)
			return d
		}
		for i, alias := range s.Identifiers {
			at := fmt.Sprintf("%s.facets.symlinks.identifiers[%d]", path, i)
			d.Aliases = append(d.Aliases, p.name(at, alias.Namespace, alias.Name))
		}
	}
	return d
}

// cut shortens what a sender wrote, for an error.
func cut(text string) string {
	if len(text) <= 100 {
		return text
	}
	return strings.ToValidUTF8(text[:100], "") + "…"
}
