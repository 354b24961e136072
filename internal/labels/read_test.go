package labels_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/labels"
	"github.com/evenkeel/evenkeel/signal"
)

// Every format says the same, and what is no label is named and passed over.
func TestReadTakesWhatIsALabel(t *testing.T) {
	for media, body := range map[string]string{
		"application/json":     `[{"id":"a#1","label":1.0},{"id":"b"},{"system":"other","id":"c","label":"1"},{"id":"d","row":2,"label":"x"}]`,
		"application/x-ndjson": "{\"id\":\"a#1\",\"label\":1}\n{\"id\":\"b\"}\n{\"system\":\"other\",\"id\":\"c\",\"label\":\"1\"}\n{\"id\":\"d\",\"row\":2,\"label\":\"x\"}\n",
		"text/csv":             "system,id,row,label\n,a#1,,1\n,b,,\nother,c,,1\n,d,2,x\n",
	} {
		source, err := labels.Open(strings.NewReader(body), media, media)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		rules := &labels.Rules{System: "s", Only: "s", Latest: time.Now()}
		answer, err := labels.Read(source, rules, func(some []signal.Label) error {
			for _, l := range some {
				got = append(got, fmt.Sprint(l.System, " ", l.ID, " ", l.Row, " ", l.Value))
			}
			return nil
		})
		if err != nil || answer.Accepted != 2 || answer.Refused != 2 || len(answer.Errors) != 2 || fmt.Sprint(got) != "[s a 1 1 s d 2 x]" {
			t.Errorf("%s: %v, %+v, %v", media, got, answer, err)
		}
	}
}
