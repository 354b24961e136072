package signal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RunEventSchema is the schemaURL of a RunEvent: OpenLineage 2-0-2.
const RunEventSchema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

const (
	versionFacetSchema = "https://openlineage.io/spec/facets/1-0-0/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
	jobTypeFacetSchema = "https://openlineage.io/spec/facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
)

// RunEventType is where a run stands. An inference service is a run from its
// agent's start to its stop, RUNNING in between.
type RunEventType string

// The types of OpenLineage that we send or accept.
const (
	RunStart    RunEventType = "START"
	RunRunning  RunEventType = "RUNNING"
	RunComplete RunEventType = "COMPLETE"
	RunAbort    RunEventType = "ABORT"
	RunFail     RunEventType = "FAIL"
	RunOther    RunEventType = "OTHER"
)

// RunEvent is the body of an evenkeel.lineage.run event: an OpenLineage
// RunEvent. Facets that we do not know are kept as they came.
type RunEvent struct {
	EventType RunEventType     `json:"eventType"`
	EventTime time.Time        `json:"eventTime"`
	Run       LineageRun       `json:"run"`
	Job       LineageJob       `json:"job"`
	Inputs    []LineageDataset `json:"inputs,omitempty"`
	Outputs   []LineageDataset `json:"outputs,omitempty"`
	Producer  string           `json:"producer"`  // URI of the program that says so
	SchemaURL string           `json:"schemaURL"` // RunEventSchema, or another version's
}

// LineageRun names one run; RunID is a UUID.
type LineageRun struct {
	RunID  string                     `json:"runId"`
	Facets map[string]json.RawMessage `json:"facets,omitempty"`
}

// LineageJob names what runs.
type LineageJob struct {
	Namespace string                     `json:"namespace"`
	Name      string                     `json:"name"`
	Facets    map[string]json.RawMessage `json:"facets,omitempty"`
}

// String gives namespace/name.
func (j LineageJob) String() string { return j.Namespace + "/" + j.Name }

// LineageDataset names what a run reads or writes.
type LineageDataset struct {
	Namespace string                     `json:"namespace"`
	Name      string                     `json:"name"`
	Facets    map[string]json.RawMessage `json:"facets,omitempty"`
}

// ServiceRun is what an agent knows about the inference service beside it.
type ServiceRun struct {
	Type     RunEventType
	Time     time.Time
	RunID    string // one for each start of the agent and model
	System   SystemID
	Model    ModelRef
	Baseline Digest // empty: the model has none
	Producer string
}

// Event tells the run as OpenLineage does. The job is the inference service,
// evenkeel://<system>/<model>; its inputs are the model's version and the
// baseline's content, both with a version facet where the version is known;
// its output is the prediction log.
func (r ServiceRun) Event() *RunEvent {
	namespace := "evenkeel://" + string(r.System)
	model := LineageDataset{Namespace: namespace, Name: "model/" + r.Model.Name}
	if r.Model.Version != "" {
		model.Facets = versionFacet(r.Producer, r.Model.Version)
	}
	inputs := []LineageDataset{model}
	if r.Baseline != "" {
		inputs = append(inputs, LineageDataset{
			Namespace: namespace, Name: "baseline/" + r.Model.Name,
			Facets: versionFacet(r.Producer, string(r.Baseline)),
		})
	}
	return &RunEvent{
		EventType: r.Type,
		EventTime: r.Time.UTC(),
		Run:       LineageRun{RunID: r.RunID},
		Job: LineageJob{Namespace: namespace, Name: r.Model.Name, Facets: facet("jobType", map[string]string{
			"_producer": r.Producer, "_schemaURL": jobTypeFacetSchema,
			"processingType": "SERVICE", "integration": "EVENKEEL", "jobType": "MODEL",
		})},
		Inputs:    inputs,
		Outputs:   []LineageDataset{{Namespace: namespace, Name: "predictions/" + r.Model.Name}},
		Producer:  r.Producer,
		SchemaURL: RunEventSchema,
	}
}

func versionFacet(producer, version string) map[string]json.RawMessage {
	return facet("version", map[string]string{
		"_producer": producer, "_schemaURL": versionFacetSchema, "datasetVersion": version,
	})
}

func facet(name string, fields map[string]string) map[string]json.RawMessage {
	raw, _ := json.Marshal(fields) // strings: cannot fail
	return map[string]json.RawMessage{name: raw}
}

// ParseRunEvent reads a RunEvent and checks what the specification requires.
// The error says which field is at fault.
func ParseRunEvent(raw []byte) (*RunEvent, error) {
	e := new(RunEvent)
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, fmt.Errorf("lineage event: %w", err)
	}
	required := func(name, value string) error {
		if value == "" {
			return fmt.Errorf("lineage event: %s: missing", name)
		}
		return nil
	}
	err := errors.Join(
		required("run.runId", e.Run.RunID),
		required("job.namespace", e.Job.Namespace),
		required("job.name", e.Job.Name),
		required("producer", e.Producer),
		required("schemaURL", e.SchemaURL),
	)
	switch e.EventType {
	case RunStart, RunRunning, RunComplete, RunAbort, RunFail, RunOther:
	default:
		err = errors.Join(err, fmt.Errorf("lineage event: eventType: %q is none of OpenLineage's", e.EventType))
	}
	if e.EventTime.IsZero() {
		err = errors.Join(err, errors.New("lineage event: eventTime: missing"))
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}
