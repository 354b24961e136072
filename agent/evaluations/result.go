package evaluations

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// Result is what one evaluator says of one answer.
type Result struct {
	Model       string    `json:"model"`       // the configured one; empty: the only one
	ID          string    `json:"id"`          // of the request, as of its predictions
	Name        string    `json:"name"`        // what is judged, such as relevance
	Score       *float64  `json:"score"`       // nil: none
	Label       string    `json:"label"`       // such as pass; empty: none
	Explanation string    `json:"explanation"` // empty: none, or it was dropped
	ResponseID  string    `json:"response_id"` // what the model server calls the answer; empty: not known
	Time        time.Time `json:"time"`        // of the judgement; zero: when it came
}

// Bounds of texts, in bytes.
const (
	maxName        = 128
	maxID          = 256
	maxExplanation = 4096
)

// Rules say which results are taken.
type Rules struct {
	Models       []string // that are configured
	Explanations bool     // they are kept
	Now          time.Time
}

// slack is how far a judgement may be in the future, by the evaluator's clock.
const slack = 24 * time.Hour

// fit checks a result, fills in what it leaves out and drops what is not kept.
func (r *Rules) fit(x *Result) error {
	if x.Model == "" && len(r.Models) == 1 {
		x.Model = r.Models[0]
	}
	if !r.Explanations {
		x.Explanation = ""
	}
	if x.Time.IsZero() {
		x.Time = r.Now
	}
	switch {
	case x.Model == "":
		return errors.New("model: missing; there are several")
	case !r.knows(x.Model):
		return fmt.Errorf("model: %.40q is not configured", x.Model)
	case x.ID == "":
		return errors.New("id: missing; it is that of the request, X-Request-Id for example")
	case x.Name == "":
		return errors.New("name: missing; say what is judged, for example relevance")
	case x.Score == nil && x.Label == "":
		return errors.New("score, label: both are missing")
	case x.Score != nil && !(math.Abs(*x.Score) <= measure.MaxMagnitude):
		return errors.New("score: too large")
	case x.Time.After(r.Now.Add(slack)):
		return errors.New("time: in the future")
	}
	return texts(x)
}

func (r *Rules) knows(model string) bool {
	for _, m := range r.Models {
		if m == model {
			return true
		}
	}
	return false
}

// texts checks lengths and encoding.
func texts(x *Result) error {
	for _, t := range []struct {
		field, text string
		most        int
	}{
		{"id", x.ID, maxID},
		{"name", x.Name, maxName},
		{"label", x.Label, maxName},
		{"response_id", x.ResponseID, maxID},
		{"explanation", x.Explanation, maxExplanation},
	} {
		if len(t.text) > t.most {
			return fmt.Errorf("%s: longer than %d bytes", t.field, t.most)
		}
		if !utf8.ValidString(t.text) {
			return fmt.Errorf("%s: not UTF-8", t.field)
		}
	}
	return nil
}

// Attrs gives the attributes of a result's event. id is what the request is called
// in what leaves the agent.
func (x *Result) Attrs(version, id string) []signal.Attr {
	out := []signal.Attr{
		{Key: signal.KeyModelName, Value: x.Model},
		{Key: signal.KeyPredictionID, Value: id},
		{Key: signal.KeyEvaluationName, Value: x.Name},
	}
	if x.Score != nil {
		out = append(out, signal.Attr{Key: signal.KeyEvaluationScore, Value: *x.Score})
	}
	for _, a := range []struct{ key, value string }{
		{signal.KeyModelVersion, version},
		{signal.KeyEvaluationLabel, x.Label},
		{signal.KeyEvaluationResponse, x.ResponseID},
		{signal.KeyEvaluationExplanation, x.Explanation},
	} {
		if a.value != "" {
			out = append(out, signal.Attr{Key: a.key, Value: a.value})
		}
	}
	return out
}
