package query

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/evenkeel/evenkeel/collector/model"
)

// seriesSet walks over series that are in memory.
type seriesSet struct {
	series []series
	at     int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *seriesSet) At() storage.Series                { return &s.series[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

type series struct {
	labels labels.Labels
	points points
}

func (s *series) Labels() labels.Labels { return s.labels }

func (s *series) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return storage.NewListSeriesIterator(s.points)
}

// points are one series' samples, by time ascending, as Prometheus reads them.
type points []model.Sample

func (p points) Len() int { return len(p) }

// Get points into the slice, so that walking allocates nothing.
func (p points) Get(i int) chunks.Sample { return (*point)(&p[i]) }

type point model.Sample

func (p *point) T() int64                      { return p.Time.UnixMilli() }
func (p *point) ST() int64                     { return 0 }
func (p *point) F() float64                    { return p.Value }
func (p *point) H() *histogram.Histogram       { return nil }
func (p *point) FH() *histogram.FloatHistogram { return nil }
func (p *point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }

func (p *point) Copy() chunks.Sample {
	c := *p
	return &c
}
