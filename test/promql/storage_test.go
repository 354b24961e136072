package promql_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/query"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// lookback is that of the scripts' engine.
const lookback = 5 * time.Minute

// What our tables have no form for.
var (
	errNativeHistogram = errors.New("native histogram")
	errStartTimestamp  = errors.New("start timestamp")
)

// ourStorage is our store as Prometheus' scripts see it: they write through
// model.Writer and read through query's querier. Closing it does nothing; the
// same tables serve every script, emptied by clear.
type ourStorage struct {
	storage.Storage // what scripts never ask for; nil
	store           *clickhouse.Store
	queries         *query.Engine
	refused         error // what was loaded and has no form in our tables
}

var batches atomic.Uint64

func openOurs(t testing.TB) *ourStorage {
	store := storetest.Open(t)
	return &ourStorage{store: store, queries: query.New(store, query.Options{Lookback: lookback})}
}

// clear empties the tables. Series stay: without samples they are not found.
func (s *ourStorage) clear(t testing.TB) {
	t.Helper()
	s.refused = nil
	if err := s.store.Conn().Exec(context.Background(), "TRUNCATE TABLE samples"); err != nil {
		t.Fatal(err)
	}
}

func (s *ourStorage) Querier(mint, maxt int64) (storage.Querier, error) {
	return s.queries.Queryable(lookback).Querier(mint, maxt)
}

func (s *ourStorage) Close() error { return nil }

func (s *ourStorage) AppenderV2(context.Context) storage.AppenderV2 {
	return &appender{to: s, seen: map[uint64]bool{}}
}

// appender gathers one load and writes it as a batch.
type appender struct {
	storage.AppenderV2 // what loads never call; nil
	to                 *ourStorage
	rows               model.Rows
	seen               map[uint64]bool
}

func (a *appender) Append(_ storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ storage.AppendV2Options) (storage.SeriesRef, error) {
	if h != nil || fh != nil {
		a.to.refused = errNativeHistogram
		return 0, nil
	}
	if st != 0 && a.to.refused == nil {
		a.to.refused = errStartTimestamp
	}
	s := model.Series{Kind: model.Gauge, SeenAt: time.UnixMilli(t)}
	ls.Range(func(l labels.Label) {
		if l.Name == prommodel.MetricNameLabel {
			s.Name = l.Value
		} else {
			s.Labels = append(s.Labels, model.Label{Name: l.Name, Value: l.Value})
		}
	})
	s.Labels = model.SortLabels(s.Labels)
	s.Fingerprint = model.Fingerprint(s.Name, s.Labels)
	if !a.seen[s.Fingerprint] {
		a.seen[s.Fingerprint] = true
		a.rows.Series = append(a.rows.Series, s)
	}
	a.rows.Samples = append(a.rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: time.UnixMilli(t), Value: v})
	return 1, nil
}

func (a *appender) Commit() error {
	if a.rows.Empty() {
		return nil
	}
	batch := model.SpoolBatch(batches.Add(1))
	if err := a.to.store.Write(context.Background(), batch, &a.rows, model.FirstTry); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}

func (a *appender) Rollback() error { return nil }
