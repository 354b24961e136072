package clickhouse

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// dist names the row type: the rows come as pointers already.
type dist = *signal.Distribution

var distributionsTable = table[dist]{
	name:       "distributions",
	timeColumn: "window_end",
	day:        func(d *dist) time.Time { return (*d).End },
	columns: []column[dist]{
		field("system", "String", func(d *dist) string { return string((*d).System) }),
		field("model_name", "String", func(d *dist) string { return (*d).Model.Name }),
		field("model_version", "String", func(d *dist) string { return (*d).Model.Version }),
		field("instance", "String", func(d *dist) string { return string((*d).Window.Instance) }),
		field("sequence", "UInt64", func(d *dist) uint64 { return (*d).Window.Sequence }),
		moment("window_start", func(d *dist) time.Time { return (*d).Start }),
		moment("window_end", func(d *dist) time.Time { return (*d).End }),
		field("parts", "UInt32", func(d *dist) uint32 { return uint32((*d).Parts) }),
		field("baseline", "String", func(d *dist) string { return string((*d).Baseline) }),
		field("bounds", "String", func(d *dist) string { return string((*d).Bounds) }),
		field("target", "String", func(d *dist) string { return string((*d).Target) }),
		field("feature", "String", func(d *dist) string { return string((*d).Feature) }),
		field("kind", "String", func(d *dist) string { return string((*d).Kind) }),
		field("counts", "Array(UInt64)", func(d *dist) []uint64 { return (*d).Counts }),
		field("missing", "UInt64", func(d *dist) uint64 { return (*d).Missing }),
		field("other", "UInt64", func(d *dist) uint64 { return (*d).Other }),
		field("new", "UInt64", func(d *dist) uint64 { return (*d).New }),
		field("invalid", "UInt64", func(d *dist) uint64 { return (*d).Invalid }),
		field("n", "UInt64", func(d *dist) uint64 { return (*d).N }),
		field("sum", "Float64", func(d *dist) float64 { return (*d).Sum }),
		field("sum_squares", "Float64", func(d *dist) float64 { return (*d).SumSquares }),
		field("min", "Float64", func(d *dist) float64 { return (*d).Min }),
		field("max", "Float64", func(d *dist) float64 { return (*d).Max }),
		field("group_names", "Array(String)", groups(func(g signal.GroupCount) string { return g.Group })),
		field("group_favourable", "Array(UInt64)", groups(func(g signal.GroupCount) uint64 { return g.Favourable })),
		field("group_total", "Array(UInt64)", groups(func(g signal.GroupCount) uint64 { return g.Total })),
		field("seen", "UInt64", func(d *dist) uint64 { return (*d).Capture.Seen }),
		field("profiled", "UInt64", func(d *dist) uint64 { return (*d).Capture.Profiled }),
		field("sampled_out", "UInt64", func(d *dist) uint64 { return (*d).Capture.SampledOut }),
		field("over_ceiling", "UInt64", func(d *dist) uint64 { return (*d).Capture.OverCeiling }),
		field("unread", "UInt64", func(d *dist) uint64 { return (*d).Capture.Unread }),
		field("dropped", "UInt64", func(d *dist) uint64 { return (*d).Capture.Dropped }),
		field("undecodable", "UInt64", func(d *dist) uint64 { return (*d).Capture.Undecodable }),
		field("out_of_range", "UInt64", func(d *dist) uint64 { return (*d).OutOfRange }),
		field("rate", "Float64", func(d *dist) float64 { return rateOf((*d).Rate) }),
		field("held", "UInt64", func(d *dist) uint64 { return (*d).Held }),
		field("embedded", "Array(Float64)", func(d *dist) []float64 { return (*d).Embedded }),
		field("distinct", "String", func(d *dist) string { return sketchText((*d).Distinct) }),
		field("estimated", "String", func(d *dist) string { return optionalJSON((*d).Estimated) }),
		field("cohort", "String", func(d *dist) string { return optionalJSON((*d).Outcomes) }),
		field("group_requests", "Array(String)", groups(func(g signal.GroupCount) string { return optionalJSON(g.Requests) })),
		field("lineage_parts", "Array(String)", behind(func(c signal.LineageCount) string { return c.Part.String() })),
		field("lineage_values", "Array(String)", behind(func(c signal.LineageCount) string { return c.Value })),
		field("lineage_requests", "Array(UInt64)", behind(func(c signal.LineageCount) uint64 { return c.Requests })),
	},
}

// groups gives one column of the group tables.
func groups[V any](get func(signal.GroupCount) V) func(*dist) []V {
	return func(d *dist) []V {
		out := make([]V, len((*d).Groups))
		for i, g := range (*d).Groups {
			out[i] = get(g)
		}
		return out
	}
}

// behind gives one column of what stood behind the window's requests.
func behind[V any](get func(signal.LineageCount) V) func(*dist) []V {
	return func(d *dist) []V {
		out := make([]V, len((*d).Lineage))
		for i, c := range (*d).Lineage {
			out[i] = get(c)
		}
		return out
	}
}

// sketchText gives the bytes of a sketch; empty where there is none.
func sketchText(s *measure.HyperLogLog) string {
	if s == nil {
		return ""
	}
	raw, _ := s.MarshalBinary() // never fails
	return string(raw)
}

// optionalJSON writes sums of finite numbers, which JSON can always hold; empty
// where there are none.
func optionalJSON[T any](sums *T) string {
	if sums == nil {
		return ""
	}
	raw, _ := json.Marshal(sums)
	return string(raw)
}

var baselinesTable = table[model.Baseline]{
	name:      "baselines",
	replacing: true,
	columns: []column[model.Baseline]{
		field("digest", "String", func(b *model.Baseline) string { return string(b.Digest) }),
		field("system", "String", func(b *model.Baseline) string { return string(b.System) }),
		field("model_name", "String", func(b *model.Baseline) string { return b.Model.Name }),
		field("model_version", "String", func(b *model.Baseline) string { return b.Model.Version }),
		field("seen_at", "DateTime64(3, 'UTC')", func(b *model.Baseline) time.Time { return storable(b.SeenAt) }),
		field("content", "String", func(b *model.Baseline) string { return b.Content }),
	},
}

var fleetWindowsTable = table[model.FleetWindow]{
	name:       "fleet_windows",
	timeColumn: "window_end",
	day:        func(w *model.FleetWindow) time.Time { return w.End },
	columns: []column[model.FleetWindow]{
		field("system", "String", func(w *model.FleetWindow) string { return string(w.System) }),
		field("model_name", "String", func(w *model.FleetWindow) string { return w.Model.Name }),
		field("model_version", "String", func(w *model.FleetWindow) string { return w.Model.Version }),
		field("length_ns", "Int64", func(w *model.FleetWindow) int64 { return int64(w.Length) }),
		moment("window_start", func(w *model.FleetWindow) time.Time { return w.Start }),
		moment("window_end", func(w *model.FleetWindow) time.Time { return w.End }),
		field("window_ids", "Array(String)", func(w *model.FleetWindow) []string { return w.WindowIDs }),
		field("instances", "Array(String)", func(w *model.FleetWindow) []string { return w.Instances }),
		field("absent", "Array(String)", func(w *model.FleetWindow) []string { return w.Absent }),
		field("gaps", "UInt64", func(w *model.FleetWindow) uint64 { return w.Gaps }),
		field("rows", "UInt64", func(w *model.FleetWindow) uint64 { return w.Rows }),
		moment("sealed_at", func(w *model.FleetWindow) time.Time { return w.SealedAt }),
		field("explanations", "Map(String, String)", explanations),
		field("cohort", "String", func(w *model.FleetWindow) string { return w.Cohort }),
		field("revision", "UInt32", func(w *model.FleetWindow) uint32 { return w.Revision }),
	},
}

func explanations(w *model.FleetWindow) map[string]string {
	out := make(map[string]string, len(w.Explanations))
	for name, text := range w.Explanations {
		out[string(name)] = text
	}
	return out
}
