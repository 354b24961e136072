package evaluate_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

// journal is the real store, and notes every evaluation that it has taken: the
// store itself keeps runs of equal ones as one row.
type journal struct {
	*clickhouse.Store
	taken map[string]model.Evaluation
}

func (j *journal) Write(ctx context.Context, batch model.Batch, rows *model.Rows, doubt model.Doubt) error {
	err := j.Store.Write(ctx, batch, rows, doubt)
	for i := range rows.Evaluations {
		if err == nil {
			j.taken[rows.Evaluations[i].ID] = rows.Evaluations[i]
		}
	}
	return err
}

// evaluations gives what was taken of a rule (empty: of all), after noon, newest first, and
// fails unless the store's runs tell the same.
func (j *journal) evaluations(t testing.TB, rule signal.RuleID) []model.Evaluation {
	t.Helper()
	runs, err := j.Evaluations(context.Background(), rule, noon, noon.Add(24*time.Hour), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var out []model.Evaluation
	for _, ev := range j.taken {
		if rule != "" && ev.Rule != rule || !ev.At().After(noon) {
			continue
		}
		out = append(out, ev)
		covered := slices.ContainsFunc(runs, func(r model.Evaluation) bool {
			return r.Rule == ev.Rule && r.System == ev.System && keyOf(t, r.Subject) == keyOf(t, ev.Subject) && r.Verdict == ev.Verdict &&
				r.State == ev.State && r.RuleDigest == ev.RuleDigest && !r.Run.From.After(ev.At()) && !r.At().Before(ev.At())
		})
		if !covered {
			t.Errorf("no run in the store tells of %s %v at %v: %s", ev.Rule, ev.Subject, ev.At(), ev.Verdict)
		}
	}
	var windows uint64
	for _, r := range runs {
		windows += r.Run.Windows
	}
	if windows != uint64(len(out)) {
		t.Errorf("the store's runs hold %d evaluations of %d", windows, len(out))
	}
	slices.SortFunc(out, func(a, b model.Evaluation) int {
		return cmp.Or(b.At().Compare(a.At()), b.EvaluatedAt.Compare(a.EvaluatedAt), cmp.Compare(a.Rule, b.Rule), strings.Compare(keyOf(t, a.Subject), keyOf(t, b.Subject)))
	})
	return out
}

func keyOf(t testing.TB, subject map[string]string) string {
	raw, err := canonical.JSON(subject)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
