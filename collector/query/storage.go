package query

import (
	"context"
	"slices"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/evenkeel/evenkeel/collector/model"
)

func (e *Engine) queryable() storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		return &querier{reader: e.reader, from: mint, to: maxt}, nil
	})
}

// querier reads series for one query; from and to are inclusive, in
// milliseconds. It holds nothing, so Close does nothing.
type querier struct {
	reader   model.SeriesReader
	from, to int64
}

// Select reads the series of one selector, for the time that the selector
// itself needs.
func (q *querier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := q.from, q.to
	if hints != nil {
		from, to = hints.Start, hints.End
	}
	data, err := q.reader.SelectSeries(ctx, toModel(matchers), time.UnixMilli(from), time.UnixMilli(to))
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	set := &seriesSet{at: -1, series: make([]series, len(data))}
	var builder labels.ScratchBuilder
	for i := range data {
		set.series[i] = series{labels: toLabels(&builder, &data[i].Series), points: data[i].Samples}
	}
	// The store orders by labels without the name; PromQL counts the name in.
	slices.SortFunc(set.series, func(a, b series) int { return labels.Compare(a.labels, b.labels) })
	return set
}

// LabelNames is part of the interface; queries themselves never ask.
func (q *querier) LabelNames(ctx context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	found, err := q.reader.FindSeries(ctx, toModel(matchers), time.UnixMilli(q.from), time.UnixMilli(q.to))
	return labelNames(found), nil, err
}

// LabelValues is part of the interface; queries themselves never ask.
func (q *querier) LabelValues(ctx context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	found, err := q.reader.FindSeries(ctx, toModel(matchers), time.UnixMilli(q.from), time.UnixMilli(q.to))
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
