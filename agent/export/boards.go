package export

import (
	"slices"

	"go.opentelemetry.io/otel/metric"

	"github.com/evenkeel/evenkeel/signal"
)

// Bounds of what is shown: of the model versions, and of the scores of all of
// them together, so that no metric can have more than cardinality of them.
const (
	maxBoards = 64
	maxScores = cardinality - 1 // the last one of a metric is where the SDK adds up what is too much
)

// board holds the scores of the last window of one model version. A score that
// the next window does not have disappears with it.
type board struct {
	model  signal.ModelRef
	scores []score
}

// scoreMetrics are the metrics that scores have, each with its unit and what it
// is. Every one has a gauge for the value and one for each suffix; what a score
// has not is not exported.
var scoreMetrics = []struct{ name, unit, about string }{
	{signal.MetricDriftScore, "1", "Distance of the last window from the approved baseline, by method"},
	{signal.MetricDriftLimit, "1", "What few of the baseline's own windows exceeded, by method"},
	{signal.MetricDriftShare, "1", "Share of the input features that have drifted in the last window"},
	{signal.MetricQuality, "1", "Share of the values of the last window that the baseline does not expect"},
	{signal.MetricDisparity, "1", "Disparity between groups in the last window"},
	{signal.MetricSelectionRate, "1", "Share of a group's rows of the last window that are favourable"},
	{signal.MetricFairnessCoverage, "1", "Share of the rows of the last window whose group is known"},
	{signal.MetricFairnessHeld, "{row}", "Rows held back after the last window, since their group is too small to be told"},
	{signal.MetricPerformance, "1", "How right the decisions of the last window are, by what their scores promise"},
}

// scoreSuffixes are what may stand beside a score.
var scoreSuffixes = []struct{ suffix, unit, about string }{
	{signal.SuffixLower, "", ": lower limit of the interval."},
	{signal.SuffixUpper, "", ": upper limit of the interval."},
	{signal.SuffixSamples, "{observation}", ": rows behind the value."},
	{signal.SuffixP, "1", ": p-value of the method's test."},
	{signal.SuffixPAdjusted, "1", ": p-value adjusted over the columns of the window."},
	{signal.SuffixBound, "", ": what the value cannot exceed for the raw values."},
	{signal.SuffixCritical, "", ": what one of twenty unchanged windows exceeds."},
	{signal.SuffixVisible, "", ": the smallest shift that a window of this size shows."},
	{signal.SuffixLeast, "", ": if no row that was lost had counted."},
	{signal.SuffixGreatest, "", ": if every row that was lost had counted."},
}

// scoreGauges makes the gauges of all scores, which are read from the boards.
func (v *views) scoreGauges() error {
	gauges := map[string]metric.Float64ObservableGauge{}
	var all []metric.Observable
	add := func(name, unit, about string) error {
		g, err := v.meter.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(about))
		gauges[name] = g
		all = append(all, g)
		return err
	}
	for _, m := range scoreMetrics {
		if err := add(m.name, m.unit, m.about+"."); err != nil {
			return err
		}
		for _, s := range scoreSuffixes {
			unit := s.unit
			if unit == "" {
				unit = m.unit
			}
			if err := add(m.name+s.suffix, unit, m.about+s.about); err != nil {
				return err
			}
		}
	}
	_, err := v.meter.RegisterCallback(guarded(v.guard, func(o metric.Observer) {
		for _, s := range v.scores() {
			attrs := metric.WithAttributeSet(s.attrs)
			for _, x := range s.values {
				o.ObserveFloat64(gauges[s.metric+x.suffix], x.value, attrs)
			}
		}
	}), all...)
	return err
}

// scores gives what all boards show. The slices inside are never changed.
func (v *views) scores() []score {
	out := v.beside()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, b := range v.boards {
		out = append(out, b.scores...)
	}
	return out
}

// show replaces a model version's scores, and gives how many of them are too
// many to be shown. Where the boards hold more than they may, the versions that
// were updated longest ago go.
func (v *views) show(m signal.ModelRef, scores []score) (cut int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(scores) > maxScores {
		cut = len(scores) - maxScores
		scores = scores[:maxScores]
	}
	v.boards = slices.DeleteFunc(v.boards, func(b board) bool { return b.model == m })
	v.boards = append(v.boards, board{m, scores})
	total := 0
	for i := len(v.boards) - 1; i >= 0; i-- {
		total += len(v.boards[i].scores)
		if total > maxScores || len(v.boards)-i > maxBoards {
			v.boards = slices.Delete(v.boards, 0, i+1)
			break
		}
	}
	return cut
}
