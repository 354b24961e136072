package query

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// Series gives the label sets, names included, of the series that match any of
// the selectors (PromQL, such as up{job="x"}) and were seen in [from, to]. No
// selector is an error, as in Prometheus. Sorted, without repeats.
func (e *Engine) Series(ctx context.Context, selectors []string, from, to time.Time) ([]labels.Labels, error) {
	if len(selectors) == 0 {
		return nil, errs.E("find series", errs.Invalid, errors.New("no selector"), "give at least one, such as match[]=up")
	}
	found, err := e.find(ctx, selectors, from, to)
	if err != nil {
		return nil, err
	}
	var builder labels.ScratchBuilder
	out := make([]labels.Labels, 0, len(found))
	for i := range found {
		out = append(out, toLabels(&builder, &found[i]))
	}
	slices.SortFunc(out, labels.Compare)
	return slices.CompactFunc(out, labels.Equal), nil
}

// LabelNames gives the names of labels, sorted; no selector means all series.
func (e *Engine) LabelNames(ctx context.Context, selectors []string, from, to time.Time) ([]string, error) {
	found, err := e.find(ctx, selectors, from, to)
	return labelNames(found), err
}

// LabelValues gives the values of one label, sorted; __name__ gives the names
// of metrics. No selector means all series.
func (e *Engine) LabelValues(ctx context.Context, name string, selectors []string, from, to time.Time) ([]string, error) {
	found, err := e.find(ctx, selectors, from, to)
	return labelValues(found, name), err
}

func (e *Engine) find(ctx context.Context, selectors []string, from, to time.Time) ([]model.Series, error) {
	if len(selectors) == 0 {
		return e.reader.FindSeries(ctx, nil, from, to)
	}
	sets, err := parser.NewParser(parser.Options{}).ParseMetricSelectors(selectors)
	if err != nil {
		return nil, errs.E("parse selector", errs.Invalid, err, "")
	}
	var out []model.Series
	for _, matchers := range sets {
		found, err := e.reader.FindSeries(ctx, toModel(matchers), from, to)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func labelNames(found []model.Series) []string {
	names := map[string]bool{}
	for _, s := range found {
		names[prommodel.MetricNameLabel] = true
		for _, l := range s.Labels {
			names[l.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func labelValues(found []model.Series, name string) []string {
	values := map[string]bool{}
	for _, s := range found {
		if name == prommodel.MetricNameLabel {
			values[s.Name] = true
			continue
		}
		for _, l := range s.Labels {
			if l.Name == name {
				values[l.Value] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(values))
}
