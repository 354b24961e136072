package signal

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
)

// NewCohort makes an empty cohort whose predictions mean what the baseline says;
// digest is the baseline's. It fails for a baseline that does not say which
// output decides.
func NewCohort(b *Baseline, digest Digest) (*Cohort, error) {
	j, err := newOutcomeJudge(b)
	if err != nil {
		return nil, fmt.Errorf("cohort of baseline %s: %w", digest.Short(), err)
	}
	c := &Cohort{Task: j.task, Baseline: digest, judge: j}
	c.All.Scores = j.newScores()
	return c, nil
}

// outcomeJudge is what a baseline says about predictions, worked out once.
type outcomeJudge struct {
	of      *Baseline
	task    Task
	outcome *OutcomeBaseline
	scores  measure.Grid // nil: the task has none
	coding  outcomeCoding
}

func newOutcomeJudge(b *Baseline) (*outcomeJudge, error) {
	if b == nil || b.Outcome == nil {
		return nil, errors.New("the baseline has no outcome; build it with the output that decides")
	}
	j := &outcomeJudge{of: b, outcome: b.Outcome}
	output := b.Feature(TargetPrediction, b.Outcome.Output)
	j.coding = newOutcomeCoding(output)
	switch {
	case b.Outcome.Favourable != nil:
		j.task, j.scores = TaskDecision, b.scoreGrid()
	case output == nil:
		return nil, fmt.Errorf("the deciding output %q is no prediction of the baseline", b.Outcome.Output)
	case output.Kind == Numeric:
		j.task = TaskRegression
	default:
		j.task = TaskClasses
	}
	return j, nil
}

// scoreGrid are the edges of the cells that scores are counted in: those of the
// score's column, without one the twentieths of [0, 1]. nil: there is no score.
func (b *Baseline) scoreGrid() measure.Grid {
	if b.Outcome.Score == "" {
		return nil
	}
	if f := b.Feature(TargetPrediction, b.Outcome.Score); f != nil && f.Kind == Numeric {
		return append(measure.Grid{}, f.Grid...) // not nil, also without edges
	}
	grid := make(measure.Grid, 19)
	for i := range grid {
		grid[i] = float64(i+1) / 20
	}
	return grid
}

func (j *outcomeJudge) newScores() []measure.ScoreCell {
	if j.scores == nil {
		return nil
	}
	return make([]measure.ScoreCell, len(j.scores)+1)
}

// decide says whether a value is favourable, and whether that can be said.
func (j *outcomeJudge) decide(value string) (favourable, known bool) {
	if value == "" {
		return false, false
	}
	x, ok := category.Number(value)
	if !ok {
		x = math.NaN()
	}
	return j.outcome.Favourable.holds(value, x)
}

// judgedBy makes b the baseline that rows are judged by, where it means the same
// as the one before.
func (c *Cohort) judgedBy(b *Baseline) bool {
	if b != nil && c.judge != nil && c.judge.of == b {
		return true
	}
	j, err := newOutcomeJudge(b)
	if err != nil || j.task != c.Task || len(j.newScores()) != len(c.All.Scores) {
		return false
	}
	if c.judge != nil && c.judge.of != nil && !slices.Equal(j.scores, c.judge.scores) {
		return false
	}
	c.judge = j
	return true
}

// blankJudge knows the task and how many score cells there are, and judges
// nothing.
func (c *Cohort) blankJudge() *outcomeJudge {
	j := &outcomeJudge{task: c.Task}
	if n := len(c.All.Scores); n > 0 {
		j.scores = make(measure.Grid, n-1)
	}
	return j
}

// keeps says that a group is never folded into (other): those of the baseline are
// what others are compared with.
func (j *outcomeJudge) keeps(attribute FeatureName, group string) bool {
	if group == GroupUnknown {
		return true
	}
	if j.of == nil {
		return false
	}
	g := j.of.Group(attribute)
	return g != nil && (g.Reference == group ||
		slices.ContainsFunc(g.Counts, func(c GroupCount) bool { return c.Group == group }))
}

// judgedRow is a prediction, as its task understands it.
type judgedRow struct {
	labelled     bool
	value, label string
	score        float64

	// Of a decision: what was decided and what was right, where that is known.
	decided, favourable, known, actual bool
}

func (j *outcomeJudge) read(p *LabelledPrediction) judgedRow {
	r := judgedRow{labelled: p.Label != nil, value: p.Value, score: p.Score}
	if r.labelled {
		r.label = p.Label.Value
	}
	if j.task == TaskDecision {
		r.favourable, r.decided = j.decide(r.value)
		r.actual, r.known = j.decide(r.label)
		r.known = r.known && (r.actual || j.coding.allows(r.label))
	}
	return r
}
