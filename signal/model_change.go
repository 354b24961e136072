package signal

import "time"

// EventModelChanged is the name of the event that says that something else is
// served than before.
const EventModelChanged = "evenkeel.model.changed"

// Attribute keys of EventModelChanged, beside the model's name and version.
const (
	KeyChangeOf    = "evenkeel.change.of"
	KeyChangeOld   = "evenkeel.change.old"
	KeyChangeNew   = "evenkeel.change.new"
	KeyChangeFound = "evenkeel.change.found"
)

// MetricChangesOverlooked counts requests whose version was not told as a change.
const MetricChangesOverlooked = "evenkeel.model.change.overlooked"

// ChangeOf says what of a model has changed.
type ChangeOf string

// What can change.
const (
	ChangeVersion  ChangeOf = "version"
	ChangeBaseline ChangeOf = "baseline" // what it is compared with, by digest
	// and every LineagePart that is named by a digest, by its name
)

// ChangeFound says how a change was found.
type ChangeFound string

// How it can be.
const (
	FoundAnswer        ChangeFound = "answer"        // the model server says so in its answers
	FoundURL           ChangeFound = "url"           // clients ask for it by its URL
	FoundConfiguration ChangeFound = "configuration" // the agent's, at its start or when it was read again
	FoundCollector     ChangeFound = "collector"     // fetched from it
	FoundFile          ChangeFound = "file"          // what stands there now
	FoundHeader        ChangeFound = "header"        // of an answer or a request
	FoundLearned       ChangeFound = "learned"       // the agent made it of the first requests
)

// ModelChange says that something else of a model is served than before.
type ModelChange struct {
	Model ModelRef
	Time  time.Time
	Of    ChangeOf
	Old   string // empty: there was none
	New   string // empty: there is none any more
	Found ChangeFound
}

// Attrs gives the attributes of the event.
func (c *ModelChange) Attrs() []Attr {
	return []Attr{
		{KeyModelName, c.Model.Name},
		{KeyModelVersion, c.Model.Version},
		{KeyChangeOf, string(c.Of)},
		{KeyChangeOld, c.Old},
		{KeyChangeNew, c.New},
		{KeyChangeFound, string(c.Found)},
	}
}
