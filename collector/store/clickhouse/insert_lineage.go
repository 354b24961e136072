package clickhouse

import (
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

var lineageTable = table[model.LineageEvent]{
	name:       "lineage_events",
	timeColumn: "time",
	day:        func(e *model.LineageEvent) time.Time { return e.Time },
	columns: []column[model.LineageEvent]{
		moment("time", func(e *model.LineageEvent) time.Time { return e.Time }),
		field("system", "String", func(e *model.LineageEvent) string { return string(e.System) }),
		field("event_type", "String", func(e *model.LineageEvent) string { return e.EventType }),
		field("run_id", "String", func(e *model.LineageEvent) string { return e.RunID }),
		field("job", "String", func(e *model.LineageEvent) string { return e.Job }),
		field("producer", "String", func(e *model.LineageEvent) string { return e.Producer }),
		field("event", "String", func(e *model.LineageEvent) string { return e.Event }),
		field("kind", "String", func(e *model.LineageEvent) string { return e.Kind }),
		field("nodes", "Array(String)", func(e *model.LineageEvent) []string { return e.Nodes }),
	},
}

var lineageEdgesTable = table[model.LineageEdge]{
	name:      "lineage_edges",
	replacing: true,
	columns: []column[model.LineageEdge]{
		field("from_node", "String", func(e *model.LineageEdge) string { return e.From }),
		field("to_node", "String", func(e *model.LineageEdge) string { return e.To }),
		field("relation", "String", func(e *model.LineageEdge) string { return string(e.Relation) }),
		field("system", "String", func(e *model.LineageEdge) string { return string(e.System) }),
		moment("seen_at", func(e *model.LineageEdge) time.Time { return e.Time }),
	},
}
