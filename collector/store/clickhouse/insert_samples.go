package clickhouse

import (
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

var seriesTable = table[model.Series]{
	name:      "series",
	replacing: true,
	columns: []column[model.Series]{
		field("name", "String", func(s *model.Series) string { return s.Name }),
		field("fingerprint", "UInt64", func(s *model.Series) uint64 { return s.Fingerprint }),
		field("labels", "Map(String, String)", func(s *model.Series) *labelMap { return &labelMap{s.Labels} }),
		field("kind", "String", func(s *model.Series) string { return string(s.Kind) }),
		field("unit", "String", func(s *model.Series) string { return s.Unit }),
		field("seen_at", "DateTime64(3, 'UTC')", func(s *model.Series) time.Time { return storable(s.SeenAt) }),
	},
}

var samplesTable = table[model.Sample]{
	name:       "samples",
	timeColumn: "time",
	day:        func(s *model.Sample) time.Time { return s.Time },
	columns: []column[model.Sample]{
		field("fingerprint", "UInt64", func(s *model.Sample) uint64 { return s.Fingerprint }),
		field("time", "DateTime64(3, 'UTC')", func(s *model.Sample) time.Time { return storable(s.Time) }),
		field("value", "Float64", func(s *model.Sample) float64 { return s.Value }),
	},
}
