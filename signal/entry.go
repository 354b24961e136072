package signal

import "strings"

// Attribute keys of what is told apart within one model.
const (
	KeyStage = "evenkeel.stage" // where the inputs were seen; absent: as they came
	KeyRoute = "evenkeel.route" // by which way the requests came; absent: nobody tells them apart
)

// MetricUnmatched counts requests at a URL of several models that are of none.
const MetricUnmatched = "evenkeel.request.unmatched"

// StageTransformed is the stage of inputs behind the transformation of features,
// as the model itself gets them.
const StageTransformed = "transformed"

// Entry is what is monitored by itself: a model, or one stage or route of it. Each
// has windows, a baseline and records of its own, so its name takes the place of
// the model's name wherever things are kept apart.
type Entry struct {
	Model string
	Stage string // empty: inputs as they came
	Route string // empty: all ways
}

const (
	stageMark = ";stage="
	routeMark = ";route="
)

// Name gives MODEL;stage=STAGE;route=ROUTE, without what is empty. Neither part
// may hold a semicolon.
func (e Entry) Name() string {
	name := e.Model
	if e.Stage != "" {
		name += stageMark + e.Stage
	}
	if e.Route != "" {
		name += routeMark + e.Route
	}
	return name
}

// ParseEntry reads what Name wrote. Any other name is a model's alone.
func ParseEntry(name string) Entry {
	var e Entry
	e.Model = name
	if model, route, ok := strings.Cut(e.Model, routeMark); ok {
		e.Model, e.Route = model, route
	}
	if model, stage, ok := strings.Cut(e.Model, stageMark); ok {
		e.Model, e.Stage = model, stage
	}
	if e.Name() != name { // in another order, or with parts that are empty
		return Entry{Model: name}
	}
	return e
}

// EntryDimensions gives the stage and route that a model's name says, as
// attributes; nothing for a model as a whole.
func EntryDimensions(name string) []Dimension {
	if !strings.Contains(name, ";") {
		return nil
	}
	e := ParseEntry(name)
	var out []Dimension
	if e.Stage != "" {
		out = append(out, Dimension{KeyStage, e.Stage})
	}
	if e.Route != "" {
		out = append(out, Dimension{KeyRoute, e.Route})
	}
	return out
}
