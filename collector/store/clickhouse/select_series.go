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
// see model.SeriesReader. Series without a sample in the range are left out.
// Of two samples of the same time the one of the lower batch is given. A sample
// may be model.ClockSlack later than its series' seen_at.
func (s *Store) SelectSeries(ctx context.Context, matchers []model.Matcher, from, to time.Time) ([]model.SeriesData, error) {
	seenSince := from.Add(-s.options.SeenEvery - model.ClockSlack)
	series, err := s.findSeries(ctx, matchers, seenSince)
	if err != nil || len(series) == 0 {
		return nil, err
	}
	samples, err := s.findSamples(ctx, matchers, seenSince, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]model.SeriesData, 0, len(samples))
	for len(samples) > 0 {
		fingerprint := samples[0].Fingerprint
		n := slices.IndexFunc(samples, func(x model.Sample) bool { return x.Fingerprint != fingerprint })
		if n < 0 {
			n = len(samples)
		}
		if found, ok := series[fingerprint]; ok { // else it appeared between the two queries
			out = append(out, model.SeriesData{Series: found, Samples: samples[:n:n]})
		}
		samples = samples[n:]
	}
	slices.SortFunc(out, func(a, b model.SeriesData) int { return compareSeries(a.Series, b.Series) })
	return out, nil
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

// findSamples gives the samples of matching series by fingerprint and time,
// without two of the same time.
func (s *Store) findSamples(ctx context.Context, matchers []model.Matcher, seenSince, from, to time.Time) ([]model.Sample, error) {
	where, args, err := condition(matchers)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.reading(ctx)
	defer cancel()
	rows, err := s.conn.Query(ctx, `SELECT fingerprint, toUnixTimestamp64Milli(time) AS at, value FROM samples
		WHERE fingerprint IN (SELECT fingerprint FROM series WHERE toUnixTimestamp64Milli(seen_at) >= {seen_since:Int64} AND `+where+`)
		AND time >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND time <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
		ORDER BY fingerprint, time, batch LIMIT {limit:UInt64}`,
		append(args, ch.Named("seen_since", seenSince.UnixMilli()), ch.Named("from", clampMilli(from)), ch.Named("to", clampMilli(to)),
			ch.Named("limit", uint64(s.options.MaxSamples)+1))...)
	if err != nil {
		return nil, classify("read samples", err)
	}
	defer rows.Close()
	var out []model.Sample
	for n := 0; rows.Next(); n++ {
		if n == s.options.MaxSamples {
			return nil, errs.E("read samples", errs.Exhausted, fmt.Errorf("more than %d samples match", s.options.MaxSamples),
				"narrow the selector or the time range")
		}
		var x model.Sample
		var at int64
		if err := rows.Scan(&x.Fingerprint, &at, &x.Value); err != nil {
			return nil, classify("read samples", err)
		}
		x.Time = time.UnixMilli(at).UTC()
		if last := len(out) - 1; last >= 0 && out[last].Fingerprint == x.Fingerprint && out[last].Time.Equal(x.Time) {
			continue
		}
		out = append(out, x)
	}
	return out, classify("read samples", rows.Err())
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
