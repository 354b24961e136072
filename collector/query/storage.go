package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Queryable is the store as Prometheus' own engine reads it, for one engine
// whose instant vectors look so far back; 0 means Options.Lookback. A lookback
// that is not the engine's gives wrong answers: of an instant vector nothing but
// the newest sample within it is read.
func (e *Engine) Queryable(lookback time.Duration) storage.Queryable {
	if lookback <= 0 {
		lookback = e.options.Lookback
	}
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		return &querier{engine: e, from: mint, to: maxt, lookback: lookback.Milliseconds()}, nil
	})
}

// querier reads series for one query; from, to and lookback are in
// milliseconds, the first two inclusive. It holds nothing, so Close does
// nothing.
type querier struct {
	engine   *Engine
	from, to int64
	lookback int64
}

// Select reads the series of one selector, for the time that the selector
// itself needs.
func (q *querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	data, err := q.engine.reader.SelectRange(ctx, toModel(matchers), q.span(hints))
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	if most := q.engine.options.MaxSeries; len(data) > most {
		return storage.ErrSeriesSet(errs.E("read series", errs.Exhausted, fmt.Errorf("%d series match, and a query may read %d", len(data), most),
			"narrow the selector, or raise query.max_series"))
	}
	set := &seriesSet{at: -1, series: make([]series, len(data))}
	var builder labels.ScratchBuilder
	for i := range data {
		set.series[i] = series{labels: toLabels(&builder, &data[i].Series), points: data[i].Samples}
	}
	if sorted {
		slices.SortFunc(set.series, func(a, b series) int { return labels.Compare(a.labels, b.labels) })
	}
	return set
}

// span is what a selector reads. Where it is evaluated at one time only, as an
// instant vector, nothing but the newest sample in its lookback counts, and the
// store sends no other. That is so where what it reads is no longer than a
// lookback: within a range or a subquery it is longer. Likewise of a function of a
// range that is evaluated once.
func (q *querier) span(hints *storage.SelectHints) model.SeriesRange {
	if hints == nil {
		return model.SeriesRange{From: time.UnixMilli(q.from), To: time.UnixMilli(q.to)}
	}
	span := model.SeriesRange{From: time.UnixMilli(hints.Start), To: time.UnixMilli(hints.End)}
	switch long := hints.End - hints.Start; {
	case hints.Range == 0 && long < q.lookback:
		span.Reduce = model.ReduceLast
	case hints.Range > 0 && long < hints.Range:
		span.Reduce = reductions[hints.Func]
	}
	return span
}

// reductions are the functions of a range whose answer is one of its samples.
// Those that count, add or extrapolate need all of them: sums come out the same
// to the last bit only if they are added in the same order.
var reductions = map[string]model.Reduce{
	"last_over_time": model.ReduceNewest, "present_over_time": model.ReduceNewest,
	"max_over_time": model.ReduceLargest, "min_over_time": model.ReduceLeast,
}

// LabelNames is part of the interface; queries themselves never ask.
func (q *querier) LabelNames(ctx context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	found, err := q.engine.reader.FindSeries(ctx, toModel(matchers), time.UnixMilli(q.from), time.UnixMilli(q.to))
	return labelNames(found), nil, err
}

// LabelValues is part of the interface; queries themselves never ask.
func (q *querier) LabelValues(ctx context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	found, err := q.engine.reader.FindSeries(ctx, toModel(matchers), time.UnixMilli(q.from), time.UnixMilli(q.to))
	return labelValues(found, name), nil, err
}

// Close has nothing to give back.
func (q *querier) Close() error { return nil }

func toModel(matchers []*labels.Matcher) []model.Matcher {
	out := make([]model.Matcher, len(matchers))
	for i, m := range matchers {
		out[i] = model.Matcher{Name: m.Name, Type: matchTypes[m.Type], Value: m.Value}
	}
	return out
}

var matchTypes = map[labels.MatchType]model.MatchType{
	labels.MatchEqual:     model.MatchEqual,
	labels.MatchNotEqual:  model.MatchNotEqual,
	labels.MatchRegexp:    model.MatchRegexp,
	labels.MatchNotRegexp: model.MatchNotRegexp,
}

func toLabels(b *labels.ScratchBuilder, s *model.Series) labels.Labels {
	b.Reset()
	b.Add(prommodel.MetricNameLabel, s.Name)
	for _, l := range s.Labels {
		b.Add(l.Name, l.Value)
	}
	b.Sort()
	return b.Labels()
}
