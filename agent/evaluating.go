package agent

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/evenkeel/evenkeel/agent/evaluations"
	"github.com/evenkeel/evenkeel/agent/export"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/internal/labels"
	"github.com/evenkeel/evenkeel/signal"
)

// evaluating is what takes evaluations.
type evaluating struct {
	board   *evaluations.Board
	refused atomic.Uint64 // evaluations that are none, or that there was no room for
}

// openEvaluations makes the board; where none are taken it stays empty.
func (a *Agent) openEvaluations(context.Context) error {
	a.board = evaluations.NewBoard(a.c.Window.Length.Std(), a.c.Window.Confidence, time.Now())
	return a.exporter.Show(a.evaluationFigures()...)
}

// postEvaluations takes what evaluators say of answers. It answers 200 when all that
// is right is on disk.
func (a *Agent) postEvaluations(w http.ResponseWriter, r *http.Request) {
	c := a.plan().c
	if !c.Evaluations.Accept {
		refuseLabels(w, http.StatusNotFound, "no evaluations are taken; set evaluations.accept")
		return
	}
	most := int64(c.Evaluations.MaxBody)
	r.Body = http.MaxBytesReader(w, r.Body, most)
	plain, err := labels.Plain(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		refuseLabels(w, statusOfLabels(err), err.Error())
		return
	}
	body := io.Reader(r.Body)
	if plain != nil {
		defer func() { _ = plain.Close() }() // it was only read
		body = http.MaxBytesReader(w, plain, most)
	}
	rules := &evaluations.Rules{Models: modelNames(c), Explanations: c.Evaluations.Explanations, Now: time.Now()}
	answer, err := evaluations.Read(body, rules, func(some []evaluations.Result) error { return a.takeEvaluations(r.Context(), some) })
	a.refused.Add(uint64(answer.Refused))
	out, status := labelAnswer{Answer: *answer}, http.StatusOK
	if err != nil {
		status, out.Error = statusOfLabels(err), &labelProblem{err.Error()}
		if errs.KindOf(err) == errs.Exhausted {
			w.Header().Set("Retry-After", "10")
		}
	}
	writeLabelAnswer(w, status, out)
}

// takeEvaluations makes results durable, and then adds them up.
func (a *Agent) takeEvaluations(ctx context.Context, some []evaluations.Result) error {
	p := a.plan()
	told := make([]export.Evaluation, len(some))
	for i := range some {
		r := &some[i]
		id, version := r.ID, ""
		if s := p.byName[r.Model]; s != nil {
			id, version = s.filter.HashID(id), s.Version
		}
		told[i] = export.Evaluation{At: r.Time, Attrs: r.Attrs(version, id)}
	}
	if err := a.exporter.Evaluate(ctx, told); err != nil {
		a.refused.Add(uint64(len(some)))
		return err
	}
	a.board.Add(some, time.Now())
	return nil
}

// evaluationFigures show the last window's mean scores and shares of labels, and
// what came since the start.
func (a *Agent) evaluationFigures() []export.Figure {
	const mean, share = "Mean score that an evaluator gave in the last window", "Share of the judged answers of the last window to which an evaluator gave a label"
	var out []export.Figure
	for _, s := range []struct {
		suffix, unit, about string
		read                func(*evaluations.Score) *float64
	}{
		{"", "1", ".", func(s *evaluations.Score) *float64 { return &s.Estimate.Value }},
		{signal.SuffixLower, "1", ": lower limit of the interval.", func(s *evaluations.Score) *float64 { return s.Estimate.Lower }},
		{signal.SuffixUpper, "1", ": upper limit of the interval.", func(s *evaluations.Score) *float64 { return s.Estimate.Upper }},
		{signal.SuffixSamples, "{evaluation}", ": evaluations behind the value.", func(s *evaluations.Score) *float64 { n := float64(s.Estimate.Samples); return &n }},
	} {
		out = append(out,
			export.Figure{Name: signal.MetricEvaluationScore + s.suffix, Unit: s.unit, About: mean + s.about, Read: a.readEvaluations(false, s.read)},
			export.Figure{Name: signal.MetricEvaluationShare + s.suffix, Unit: s.unit, About: share + s.about, Read: a.readEvaluations(true, s.read)})
	}
	return append(out,
		export.Figure{
			Name: signal.MetricEvaluationCount, Unit: "{evaluation}", Counter: true, About: "Evaluations that were taken, by label.",
			Read: func(tell tell) {
				for _, c := range a.board.Counts() {
					tell(float64(c.Count), modelLabel(c.Model), export.Label{Key: signal.KeyEvaluationName, Value: c.Name}, export.Label{Key: signal.KeyEvaluationLabel, Value: c.Label})
				}
			},
		},
		export.Figure{
			Name: signal.MetricEvaluationRefused, Unit: "{evaluation}", Counter: true, About: "Evaluations that were not taken: they are none, or there was no room.",
			Read: func(tell tell) {
				if p := a.plan(); p != nil && p.c.Evaluations.Accept {
					tell(float64(a.refused.Load()))
				}
			},
		})
}

// readEvaluations gives one number of each mean score, or of each label's share.
func (a *Agent) readEvaluations(shares bool, read func(*evaluations.Score) *float64) func(tell) {
	return func(tell tell) {
		for _, s := range a.board.Scores(time.Now()) {
			value := read(&s)
			if (s.Label != "") != shares || value == nil {
				continue
			}
			with := []export.Label{modelLabel(s.Model)}
			for _, d := range s.Dimensions() {
				with = append(with, export.Label{Key: d.Key, Value: d.Value})
			}
			tell(*value, with...)
		}
	}
}
