package clickhouse

import (
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

var predictionsTable = table[signal.Prediction]{
	name:       "predictions",
	timeColumn: "time",
	day:        func(p *signal.Prediction) time.Time { return p.Time },
	columns: []column[signal.Prediction]{
		field("system", "String", func(p *signal.Prediction) string { return string(p.System) }),
		field("model_name", "String", func(p *signal.Prediction) string { return p.Model.Name }),
		field("model_version", "String", func(p *signal.Prediction) string { return p.Model.Version }),
		field("instance", "String", func(p *signal.Prediction) string { return string(p.Instance) }),
		field("id", "String", func(p *signal.Prediction) string { return p.ID }),
		field("row", "UInt32", func(p *signal.Prediction) uint32 { return p.Row }),
		moment("time", func(p *signal.Prediction) time.Time { return p.Time }),
		field("value", "String", func(p *signal.Prediction) string { return p.Value }),
		field("score", "Float64", func(p *signal.Prediction) float64 { return p.Score }),
		field("group_attributes", "Array(String)", memberships(func(m signal.Membership) string { return string(m.Attribute) })),
		field("group_names", "Array(String)", memberships(func(m signal.Membership) string { return m.Group })),
		field("basis", "String", func(p *signal.Prediction) string { return p.Basis }),
		field("rate", "Float64", func(p *signal.Prediction) float64 { return rateOf(p.Rate) }),
		field("trace_id", "String", func(p *signal.Prediction) string { return p.TraceID }),
		field("baseline", "String", func(p *signal.Prediction) string { return string(p.Baseline) }),
		field("run", "String", func(p *signal.Prediction) string { return p.Run }),
		part("digest_model", signal.PartModel),
		part("digest_index", signal.PartIndex),
		part("digest_prompt", signal.PartPrompt),
		part("digest_transform", signal.PartTransform),
		part("declared_run", signal.PartRun),
	},
}

// part gives the column of one part of the lineage.
func part(name string, of signal.LineagePart) column[signal.Prediction] {
	return field(name, "String", func(p *signal.Prediction) string { return p.Lineage[of] })
}

// memberships gives one column of the groups that a row belongs to.
func memberships(get func(signal.Membership) string) func(*signal.Prediction) []string {
	return func(p *signal.Prediction) []string {
		out := make([]string, len(p.Groups))
		for i, m := range p.Groups {
			out[i] = get(m)
		}
		return out
	}
}

// rateOf gives the share that was profiled, where 0 means all.
func rateOf(rate float64) float64 {
	if rate == 0 {
		return 1
	}
	return rate
}

var labelsTable = table[signal.Label]{
	name:       "labels",
	timeColumn: "received",
	day:        func(l *signal.Label) time.Time { return l.Received },
	columns: []column[signal.Label]{
		field("system", "String", func(l *signal.Label) string { return string(l.System) }),
		field("id", "String", func(l *signal.Label) string { return l.ID }),
		field("row", "UInt32", func(l *signal.Label) uint32 { return l.Row }),
		field("value", "String", func(l *signal.Label) string { return l.Value }),
		moment("time", func(l *signal.Label) time.Time { return l.Time }),
		field("source", "String", func(l *signal.Label) string { return l.Source }),
		moment("received", func(l *signal.Label) time.Time { return l.Received }),
		{name: "item", kind: "UInt32", values: func(labels []signal.Label) any {
			out := make([]uint32, len(labels))
			for i := range labels {
				out[i] = uint32(i)
			}
			return out
		}},
	},
}
