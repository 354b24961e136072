package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// FindSeries gives the series that match and were seen since from; see
// model.SeriesReader. Since seen_at lags behind by up to Options.SeenEvery, a
// series that ended shortly before from may be among them, and since only the
// newest seen_at is kept, one that began after to as well.
func (s *Store) FindSeries(ctx context.Context, matchers []model.Matcher, from, _ time.Time) ([]model.Series, error) {
	byFingerprint, err := s.findSeries(ctx, matchers, from.Add(-s.options.SeenEvery))
	if err != nil {
		return nil, err
	}
	out := make([]model.Series, 0, len(byFingerprint))
	for _, series := range byFingerprint {
		out = append(out, series)
	}
	slices.SortFunc(out, compareSeries)
	return out, nil
}

// SelectSeries gives the series that match with their samples in [from, to];
// see model.SeriesReader and SelectRange.
func (s *Store) SelectSeries(ctx context.Context, matchers []model.Matcher, from, to time.Time) ([]model.SeriesData, error) {
	out, err := s.SelectRange(ctx, matchers, model.SeriesRange{From: from, To: to})
	slices.SortFunc(out, func(a, b model.SeriesData) int { return compareSeries(a.Series, b.Series) })
	return out, err
}

// SelectRange gives the series that match with their samples, or those of them
// that are asked for; see model.RangeReader. Series without a sample in the
// range are left out. Of two samples of the same time the one of the lower
// batch is given. A sample may be model.ClockSlack later than its series'
// seen_at.
func (s *Store) SelectRange(ctx context.Context, matchers []model.Matcher, span model.SeriesRange) ([]model.SeriesData, error) {
	if span.To.Before(earliest) {
		return nil, nil
	}
	seenSince := span.From.Add(-s.options.SeenEvery - model.ClockSlack)
	out, err := s.findSamples(ctx, matchers, seenSince, span)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	if s.labels.find(out) == 0 {
		return out, nil
	}
	series, err := s.findSeries(ctx, matchers, seenSince)
	if err != nil {
		return nil, err
	}
	s.labels.keep(series)
	for i := range out {
		out[i].Series = series[out[i].Fingerprint]
	}
	return slices.DeleteFunc(out, func(d model.SeriesData) bool {
		return d.Name == "" // the table was changed between the two questions
	}), nil
}

// findSeries gives matching series by fingerprint.
func (s *Store) findSeries(ctx context.Context, matchers []model.Matcher, seenSince time.Time) (map[uint64]model.Series, error) {
	where, args, err := condition(matchers)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.reading(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, `SELECT name, fingerprint, labels, kind, unit, seen_at FROM series
		WHERE toUnixTimestamp64Milli(seen_at) >= {seen_since:Int64} AND `+where+`
		ORDER BY seen_at DESC LIMIT 1 BY fingerprint`, append(args, ch.Named("seen_since", seenSince.UnixMilli()))...)
	if err != nil {
		return nil, classify("find series", err)
	}
	defer rows.Close()
	out := map[uint64]model.Series{}
	for rows.Next() {
		var found model.Series
		var labels labelMap
		var kind string
		if err := rows.Scan(&found.Name, &found.Fingerprint, &labels, &kind, &found.Unit, &found.SeenAt); err != nil {
			return nil, classify("find series", err)
		}
		found.Labels, found.Kind, found.SeenAt = labels.labels, model.MetricKind(kind), fromStored(found.SeenAt)
		out[found.Fingerprint] = found
	}
	return out, classify("find series", rows.Err())
}

// findSamples gives the samples of matching series, each series by its
// fingerprint alone.
func (s *Store) findSamples(ctx context.Context, matchers []model.Matcher, seenSince time.Time, span model.SeriesRange) ([]model.SeriesData, error) {
	where, args, err := condition(matchers)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.reading(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, reduced(span.Reduce, `SELECT fingerprint, toUnixTimestamp64Milli(time) AS at, value FROM samples
		WHERE fingerprint IN (SELECT fingerprint FROM series WHERE toUnixTimestamp64Milli(seen_at) >= {seen_since:Int64} AND `+where+`)
		AND time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND time <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
		ORDER BY fingerprint, time`)+" LIMIT {limit:UInt64}",
		append(args, ch.Named("seen_since", seenSince.UnixMilli()), ch.Named("from", clampMilli(span.From)), ch.Named("to", clampMilli(span.To)),
			ch.Named("limit", uint64(s.options.MaxSamples)+1))...)
	if err != nil {
		return nil, classify("read samples", err)
	}
	defer rows.Close()
	out := sampleRun{}
	for n := 0; rows.Next(); n++ {
		if n == s.options.MaxSamples {
			return nil, errs.E("read samples", errs.Exhausted, fmt.Errorf("more than %d samples match", s.options.MaxSamples),
				"narrow the selector or the time range")
		}
		if err := rows.Scan(&out.fingerprint, &out.at, &out.value); err != nil {
			return nil, classify("read samples", err)
		}
		out.take()
	}
	return out.end(), classify("read samples", rows.Err())
}

// sampleRun puts rows together that are ordered by series and time.
type sampleRun struct {
	fingerprint uint64 // of the row at hand
	at          int64
	value       float64

	samples []model.Sample // of all series, in one piece
	starts  []int          // where each of them begins
}

// take adds the row at hand, unless it is of the time of the one before.
func (r *sampleRun) take() {
	last := len(r.samples) - 1
	same := last >= 0 && r.samples[last].Fingerprint == r.fingerprint
	if same && r.samples[last].Time.UnixMilli() == r.at {
		return
	}
	if !same {
		r.starts = append(r.starts, len(r.samples))
	}
	r.samples = append(r.samples, model.Sample{Fingerprint: r.fingerprint, Time: time.UnixMilli(r.at).UTC(), Value: r.value})
}

// end gives the series, each with its part of the samples.
func (r *sampleRun) end() []model.SeriesData {
	out := make([]model.SeriesData, len(r.starts))
	for i, from := range r.starts {
		to := len(r.samples)
		if i+1 < len(r.starts) {
			to = r.starts[i+1]
		}
		out[i].Fingerprint = r.samples[from].Fingerprint
		out[i].Samples = r.samples[from:to:to]
	}
	return out
}

// clampMilli keeps a bound of a range inside of what can be stored.
func clampMilli(t time.Time) int64 { return storable(t).UnixMilli() }

// compareSeries orders as PromQL does: by the labels, with the name as one of
// them.
func compareSeries(a, b model.Series) int {
	return slices.CompareFunc(withName(a), withName(b), func(x, y model.Label) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Value, y.Value))
	})
}

// withName gives a series' labels with __name__ in its place among them.
func withName(s model.Series) []model.Label {
	name := model.Label{Name: "__name__", Value: s.Name}
	at, _ := slices.BinarySearchFunc(s.Labels, name, func(a, b model.Label) int { return strings.Compare(a.Name, b.Name) })
	return slices.Concat(s.Labels[:at], []model.Label{name}, s.Labels[at:])
}
