package clickhouse_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// hostile are names that senders may choose, and that a question which is put
// together as text would trip over.
var hostile = map[string]string{
	"quote":       "a'b",
	"quotes":      `'; DROP TABLE predictions; --`,
	"double":      `a"b` + "`c",
	"backslash":   `a\b`,
	"ends so":     `a\`,
	"escaped":     `a\'b\\n\N`,
	"null":        `\N`,
	"tab":         "a\tb",
	"newline":     "a\nb",
	"return":      "a\rb",
	"NUL":         "a\x00b",
	"bell":        "a\x07\x08\x0c\x1b",
	"not UTF-8":   "caf\xe9",
	"placeholder": "{system:String} $1 ? @name",
	"percent":     "a%00%zz+b&c=d#e",
	"emoji":       "päc\u2028🙂",
	"long":        strings.Repeat("x", 1024),
}

// TestHostileNamesAreFoundAgain stores predictions, labels and drift processes
// under such names and asks for each.
func TestHostileNamesAreFoundAgain(t *testing.T) {
	s := storetest.Open(t)
	batch := uint64(0)
	for what, name := range hostile {
		t.Run(what, func(t *testing.T) {
			batch++
			p := prediction("id "+name, 0, noon)
			p.System, p.Model = signal.SystemID(name), signal.ModelRef{Name: name, Version: name}
			label := signal.Label{System: p.System, ID: p.ID, Value: "v", Time: noon, Received: noon}
			d := distribution(1, noon)
			d.System, d.Model = p.System, p.Model
			write(t, s, model.SpoolBatch(batch), &model.Rows{
				Predictions: []signal.Prediction{p}, Labels: []signal.Label{label}, Distributions: []*signal.Distribution{d},
			}, model.FirstTry)
			found := 0
			err := s.LabelledPredictions(context.Background(), p.System, p.Model, noon.Add(-1), noon, noon, func(got *signal.LabelledPrediction) error {
				found++
				if got.ID != p.ID || got.Label == nil {
					t.Errorf("%q, label %v", got.ID, got.Label)
				}
				return nil
			})
			if err != nil || found != 1 {
				t.Errorf("%d predictions, %.300v", found, err)
			}
			windows, err := s.DistributionsBetween(context.Background(), p.System, noon.Add(-1), noon)
			if err != nil || len(windows) != 1 {
				t.Errorf("%d distributions, %.300v", len(windows), err)
			}
			if _, err := s.DriftProcesses(context.Background(), p.System, p.Model, time.Hour, noon); err != nil {
				t.Errorf("drift processes: %.300v", err)
			}
		})
	}
}
