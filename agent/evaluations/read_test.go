package evaluations

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

var noon = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)

func one(explanations bool, models ...string) *Rules {
	return &Rules{Models: models, Explanations: explanations, Now: noon}
}

func TestRead(t *testing.T) {
	const good = `{"id":"r1","name":"relevance","score":0.5}`
	for name, test := range map[string]struct {
		body     string
		accepted int
		refused  string // what the first refusal says
		failed   bool
	}{
		"one":               {good, 1, "", false},
		"lines":             {good + "\n" + good + "\n", 2, "", false},
		"an array":          {" [" + good + "," + good + "]\n", 2, "", false},
		"an empty array":    {"[]", 0, "", false},
		"nothing":           {" \n", 0, "", true},
		"cut":               {"[" + good, 1, "", true},
		"not JSON":          {good + "\nhello", 1, "", true},
		"no id":             {`{"name":"relevance","score":1}`, 0, "id: missing", false},
		"no name":           {`{"id":"r1","score":1}`, 0, "name: missing", false},
		"no judgement":      {`{"id":"r1","name":"x"}`, 0, "both are missing", false},
		"a label":           {`{"id":"r1","name":"x","label":"pass"}`, 1, "", false},
		"another model":     {`{"model":"y","id":"r1","name":"x","label":"pass"}`, 0, "not configured", false},
		"a misspelt field":  {`{"id":"r1","name":"x","scor":1}`, 0, "scor", false},
		"a score of text":   {`{"id":"r1","name":"x","score":"1"}` + good, 1, "score", false},
		"a score too large": {`{"id":"r1","name":"x","score":1e300}`, 0, "too large", false},
		"a long name":       {`{"id":"r1","name":"` + strings.Repeat("x", 200) + `","score":1}`, 0, "longer than 128", false},
		"tomorrow":          {`{"id":"r1","name":"x","score":1,"time":"2030-05-08T12:00:00Z"}`, 0, "future", false},
	} {
		t.Run(name, func(t *testing.T) {
			taken := 0
			answer, err := Read(strings.NewReader(test.body), one(false, "assistant"), func(some []Result) error { taken += len(some); return nil })
			if (err != nil) != test.failed || err != nil && errs.KindOf(err) != errs.Invalid {
				t.Fatal(err)
			}
			if answer.Accepted != test.accepted || taken != test.accepted || (answer.Refused > 0) != (test.refused != "") {
				t.Errorf("%+v, %d taken", answer, taken)
			}
			if test.refused != "" && !strings.Contains(answer.Errors[0].Message, test.refused) {
				t.Errorf("%q does not say %q", answer.Errors[0].Message, test.refused)
			}
		})
	}
}

// Explanations quote what was said: they are kept only where that is asked for.
func TestExplanations(t *testing.T) {
	const body = `{"id":"r1","name":"x","label":"fail","explanation":"it says zanzibar","response_id":"chat-1"}`
	for _, keep := range []bool{false, true} {
		var got []signal.Attr
		_, err := Read(strings.NewReader(body), one(keep, "assistant"), func(some []Result) error { got = some[0].Attrs("2", "hashed"); return nil })
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(got)
		if strings.Contains(text, "zanzibar") != keep || !strings.Contains(text, "hashed") || strings.Contains(text, "r1") {
			t.Errorf("explanations %v: %s", keep, text)
		}
	}
}

func TestReadInParts(t *testing.T) {
	var body strings.Builder
	for i := range atOnce + 1 {
		fmt.Fprintf(&body, `{"id":"r%d","name":"x","score":%d}`+"\n", i, i)
	}
	var parts []int
	answer, err := Read(strings.NewReader(body.String()), one(false, "a"), func(some []Result) error { parts = append(parts, len(some)); return nil })
	if err != nil || !slices.Equal(parts, []int{atOnce, 1}) || answer.Accepted != atOnce+1 {
		t.Errorf("%v, %+v, %v", parts, answer, err)
	}
	full := errs.E("take", errs.Exhausted, errors.New("full"), "")
	answer, err = Read(strings.NewReader(body.String()), one(false, "a"), func([]Result) error { return full })
	if errs.KindOf(err) != errs.Exhausted || answer.Accepted != 0 {
		t.Errorf("%+v, %v", answer, err)
	}
}

// Whatever is sent: what is taken is within bounds, every item is taken or refused,
// and an array of good results is read as encoding/json reads it.
func FuzzRead(f *testing.F) {
	f.Add(`{"id":"r1","name":"x","score":1}`)
	f.Add(`[{"id":"r1","name":"x","label":"y","time":"2030-05-06T12:00:00Z"},{}]`)
	f.Add(`{"id":"r1"}{"name":`)
	f.Fuzz(func(t *testing.T, body string) {
		var taken []Result
		answer, err := Read(strings.NewReader(body), one(true, "a"), func(some []Result) error {
			taken = append(taken, slices.Clone(some)...)
			return nil
		})
		if answer.Accepted != len(taken) {
			t.Fatalf("%d accepted, %d taken", answer.Accepted, len(taken))
		}
		for _, r := range taken {
			if r.ID == "" || len(r.ID) > maxID || r.Name == "" || len(r.Name) > maxName || r.Model != "a" || r.Score == nil && r.Label == "" {
				t.Fatalf("%+v", r)
			}
		}
		var all []json.RawMessage
		if json.Unmarshal([]byte(body), &all) == nil && strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "[") && (err != nil || answer.Accepted+answer.Refused != len(all)) {
			t.Fatalf("%d items, %+v, %v", len(all), answer, err)
		}
	})
}
