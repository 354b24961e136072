package signal

import "time"

// Prediction is what a model answered about one row: the content of one
// evenkeel.prediction event and one row of the table predictions. It holds no
// raw input; groups only where the configuration asks for them and states a
// lawful basis.
type Prediction struct {
	System   SystemID
	Model    ModelRef
	Instance InstanceID

	ID      string // of the request, as the client, the server or the agent named it
	Row     uint32 // of the request, from 0
	Time    time.Time
	Value   string  // the deciding output; numbers as category.OfNumber writes them. Empty: the answer had none
	Score   float64 // of the positive outcome; NaN: none
	Groups  []Membership
	Basis   string // lawful basis that was declared for sending groups; empty where there are none
	Rate    float64
	TraceID string

	Baseline Digest // whose outcome says what Value means; empty: none
	Run      string // the lineage run of the service that answered

	Lineage Lineage // what stood behind the answer, as far as it is known
}

// Label is how it turned out for one predicted row: the content of one
// evenkeel.label event and one row of the table labels. A later label of the
// same row takes the place of an earlier one.
type Label struct {
	System   SystemID
	ID       string
	Row      uint32
	Value    string    // in the coding of the deciding output
	Time     time.Time // when it became known
	Source   string    // who says so; may be empty
	Received time.Time // when the collector took it
}

// LabelledPrediction is a prediction with its label; nil: none yet.
type LabelledPrediction struct {
	Prediction
	Label *Label
}
