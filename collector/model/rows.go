package model

import (
	"time"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Batch names one write for good: every row carries it, and the store can be
// asked whether a batch is there. Ranges of
// spools, derived rows and their revisions share the number space.
type Batch uint64

const derivedBit = 1 << 63

// SpoolBatch numbers a range of spool records by its first record (from 1).
func SpoolBatch(first uint64) Batch { return Batch(first &^ derivedBit) }

// A replica's numbers have its own in the bits from replicaAt on, and what they
// count below. The lowest are left out: so the numbers of replicas are all above
// those of SpoolBatch, which collectors without a number of their own have used.
const (
	replicaAt    = 44
	FirstReplica = 128
	LastReplica  = 1<<18 - 1
	ReplicaSpan  = 1 << replicaAt // how many a replica has
)

// ReplicaBatch numbers a range of a replica's spool, by how far its first record
// is from where the replica began to count; offset is below ReplicaSpan.
func ReplicaBatch(replica uint32, offset uint64) Batch {
	return Batch(uint64(replica)<<replicaAt | offset&(ReplicaSpan-1))
}

// DerivedBatch numbers rows that the collector computed, from a hash of what
// they were computed from: the same computation gives the same number, so it
// is stored once however often it is tried.
func DerivedBatch(hash uint64) Batch { return Batch(hash | derivedBit) }

// Derived says which of the two kinds a batch is.
func (b Batch) Derived() bool { return b&derivedBit != 0 }

// Rows is one batch for one or more tables. The writer reads it and keeps
// nothing.
type Rows struct {
	Series         []Series
	Samples        []Sample
	Logs           []Log
	Spans          []Span
	Distributions  []*signal.Distribution
	Baselines      []Baseline
	Lineage        []LineageEvent
	LineageEdges   []LineageEdge
	Predictions    []signal.Prediction
	Labels         []signal.Label
	FleetWindows   []FleetWindow
	DriftProcesses []DriftProcess
	Evaluations    []Evaluation
	Events         []RegisterEvent
	Deliveries     []Delivery
}

// Empty says that there is nothing to write.
func (r *Rows) Empty() bool {
	return len(r.Series)+len(r.Samples)+len(r.Logs)+len(r.Spans)+len(r.Distributions)+len(r.Baselines)+len(r.Lineage)+len(r.LineageEdges)+
		len(r.Predictions)+len(r.Labels)+
		len(r.FleetWindows)+len(r.DriftProcesses)+len(r.Evaluations)+len(r.Events)+len(r.Deliveries) == 0
}

// Label is one name and value of a series.
type Label struct{ Name, Value string }

// Series is one time series: Labels sorted by name, without __name__ and
// without empty values, already translated to Prometheus names.
type Series struct {
	Fingerprint uint64 // Fingerprint(Name, Labels)
	Name        string
	Labels      []Label
	Kind        MetricKind
	Unit        string
	SeenAt      time.Time
}

// MetricKind is what Prometheus calls the type of a metric.
type MetricKind string

// The kinds.
const (
	Gauge     MetricKind = "gauge"
	Counter   MetricKind = "counter"
	Histogram MetricKind = "histogram" // classic: _bucket, _sum and _count series
)

// Sample is one value of a series.
type Sample struct {
	Fingerprint uint64
	Time        time.Time // millisecond resolution
	Value       float64   // NaN is a value
}

// Log is one OTLP log record, with the columns of the OpenTelemetry
// Collector's ClickHouse exporter.
type Log struct {
	Time               time.Time
	ObservedTime       time.Time
	TraceID, SpanID    string
	TraceFlags         uint32
	SeverityText       string
	SeverityNumber     int32
	ServiceName        string
	Body               string
	EventName          string
	ScopeName          string
	ScopeVersion       string
	ResourceSchemaURL  string
	ScopeSchemaURL     string
	ResourceAttributes map[string]string
	ScopeAttributes    map[string]string
	LogAttributes      map[string]string
}

// Baseline is a reference that an agent declared.
type Baseline struct {
	Digest  signal.Digest
	System  signal.SystemID
	Model   signal.ModelRef
	SeenAt  time.Time
	Content string // the canonical JSON of a signal.Baseline
}

// LineageEvent is an OpenLineage event as it came.
type LineageEvent struct {
	Time      time.Time
	System    signal.SystemID // may be empty
	Kind      string          // run, job, dataset
	EventType string          // of a run: START, RUNNING, COMPLETE, ABORT, FAIL, OTHER
	RunID     string
	Job       string // namespace/name; of a dataset's event empty
	Producer  string
	Nodes     []string // ids of the nodes that it names (package lineage)
	Event     string   // the JSON
}

// FleetWindow is a sealed window over all replicas: what fleet merged, from
// what, and what was missing. It is never changed; rows that come later are
// counted as late and not added.
type FleetWindow struct {
	System    signal.SystemID
	Model     signal.ModelRef
	Length    time.Duration
	Start     time.Time
	End       time.Time
	WindowIDs []string // runs, as signal.FormatWindows writes them
	Instances []string // replicas that were in, sorted
	Absent    []string // replicas that were expected and not in when the grace ran out
	Gaps      uint64   // windows missing from the sequences
	Rows      uint64   // model rows, not features; of a cohort, predictions
	SealedAt  time.Time

	// Explanations say in one sentence each what moved in the columns whose PSI
	// is above 0.1, by name, the hundred largest at most.
	Explanations map[signal.FeatureName]string

	// Cohort is set for a window over the predictions that were made in it,
	// closed a horizon later: canonical JSON of a signal.Cohort. Such a window
	// stands beside the one over rows of the same length and end.
	Cohort string

	// Revision counts how often a cohort was counted again because labels came
	// after it was closed; 0 is as it was closed. Each stands as a window of its
	// own, and none is changed.
	Revision uint32
}

// Labelled says that the window is a cohort of predictions with their labels.
func (w *FleetWindow) Labelled() bool { return w.Cohort != "" }

// PredictedLane is a model version of a system that made predictions.
type PredictedLane struct {
	System signal.SystemID
	Model  signal.ModelRef
	Last   time.Time // of the newest one
}

// DriftProcess is what the anytime-valid drift process of one column had seen
// after a sealed window. It is all that is needed to go on.
type DriftProcess struct {
	System    signal.SystemID
	Model     signal.ModelRef
	Length    time.Duration // of the windows
	Baseline  signal.Digest
	Target    signal.Target
	Feature   signal.FeatureName
	WindowEnd time.Time // of the last window that was added
	Evidence  measure.DriftEvidence
}

// Evaluation is what one rule said about one subject at one time. A pass is
// stored too.
type Evaluation struct {
	ID          string // uuid, derived from rule digest, subject and window
	Rule        signal.RuleID
	RuleVersion int
	RuleDigest  signal.Digest
	QueryDigest signal.Digest
	System      signal.SystemID
	Subject     map[string]string // labels that name the subject, system included
	Verdict     signal.Verdict
	Value       *float64 // nil: no data or error
	Lower       *float64
	Upper       *float64
	Samples     uint64
	FailLimit   string // as the rule states it, overrides applied
	WarnLimit   string
	WindowStart time.Time
	WindowEnd   time.Time
	WindowIDs   []string // the sealed window's
	Reason      string   // one sentence for people
	State       RuleState
	Streak      int // disjoint windows in a row with this verdict's side
	EvaluatedAt time.Time
	Source      string // who judged: empty for the collector's own evaluator, SourceAlertmanager
	Run         Run    // of equal verdicts that it belongs to; the zero value is stored as Alone
}

// SourceAlertmanager marks verdicts that came as alerts.
const SourceAlertmanager = "alertmanager"

// RuleState is where a rule stands for a subject; it lives in the evaluations,
// so that a restart changes nothing.
type RuleState string

// The states: firing means that the rule's `for` has been reached.
const (
	StateOK      RuleState = "ok"
	StatePending RuleState = "pending"
	StateFiring  RuleState = "firing"
)

// Delivery is one attempt to hand one register event to one sink.
type Delivery struct {
	Sink    string
	Event   string // RegisterEvent.ID
	Attempt int
	OK      bool
	Ticket  string // the sink's key for the record, once known
	Error   string
	Time    time.Time
}
