package clickhouse

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
)

var evaluationsTable = table[model.Evaluation]{
	name:       "evaluations",
	replacing:  true, // a run's newest row holds what the ones before did
	timeColumn: "time",
	day:        (*model.Evaluation).At,
	columns: []column[model.Evaluation]{
		field("id", "String", func(e *model.Evaluation) string { return e.ID }),
		field("rule", "String", func(e *model.Evaluation) string { return string(e.Rule) }),
		field("rule_version", "Int32", func(e *model.Evaluation) int32 { return int32(e.RuleVersion) }),
		field("rule_digest", "String", func(e *model.Evaluation) string { return string(e.RuleDigest) }),
		field("query_digest", "String", func(e *model.Evaluation) string { return string(e.QueryDigest) }),
		field("system", "String", func(e *model.Evaluation) string { return string(e.System) }),
		field("subject", "Map(String, String)", func(e *model.Evaluation) map[string]string { return e.Subject }),
		field("subject_key", "String", func(e *model.Evaluation) string { return subjectKey(e.Subject) }),
		field("verdict", "String", func(e *model.Evaluation) string { return string(e.Verdict) }),
		field("value", "Nullable(Float64)", func(e *model.Evaluation) *float64 { return e.Value }),
		field("lower", "Nullable(Float64)", func(e *model.Evaluation) *float64 { return e.Lower }),
		field("upper", "Nullable(Float64)", func(e *model.Evaluation) *float64 { return e.Upper }),
		field("samples", "UInt64", func(e *model.Evaluation) uint64 { return e.Samples }),
		field("fail_limit", "String", func(e *model.Evaluation) string { return e.FailLimit }),
		field("warn_limit", "String", func(e *model.Evaluation) string { return e.WarnLimit }),
		moment("time", (*model.Evaluation).At),
		moment("window_start", func(e *model.Evaluation) time.Time { return e.WindowStart }),
		moment("window_end", func(e *model.Evaluation) time.Time { return e.WindowEnd }),
		field("window_ids", "Array(String)", func(e *model.Evaluation) []string { return e.WindowIDs }),
		field("reason", "String", func(e *model.Evaluation) string { return e.Reason }),
		field("state", "String", func(e *model.Evaluation) string { return string(e.State) }),
		field("streak", "Int32", func(e *model.Evaluation) int32 { return int32(e.Streak) }),
		moment("evaluated_at", func(e *model.Evaluation) time.Time { return e.EvaluatedAt }),
		field("source", "String", func(e *model.Evaluation) string { return e.Source }),
		moment("run_start", func(e *model.Evaluation) time.Time { return runOf(e).From }),
		field("run_windows", "UInt64", func(e *model.Evaluation) uint64 { return runOf(e).Windows }),
		field("run_change", "Bool", func(e *model.Evaluation) bool { return runOf(e).Change }),
		field("run_least", "Nullable(Float64)", func(e *model.Evaluation) *float64 { return runOf(e).Least }),
		field("run_most", "Nullable(Float64)", func(e *model.Evaluation) *float64 { return runOf(e).Most }),
		field("run_fewest", "UInt64", func(e *model.Evaluation) uint64 { return runOf(e).Fewest }),
	},
}

// runOf gives the run that an evaluation is kept in; who judges without one (an
// alert of others) has each by itself.
func runOf(e *model.Evaluation) model.Run {
	if e.Run.Windows == 0 {
		return e.Alone()
	}
	return e.Run
}

// subjectKey writes a subject as one string that no other subject has.
func subjectKey(subject map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(subject)) {
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(strconv.Quote(subject[name]))
		b.WriteByte(',')
	}
	return b.String()
}

var eventsTable = table[model.RegisterEvent]{
	name: "register_events",
	columns: []column[model.RegisterEvent]{
		field("id", "String", func(e *model.RegisterEvent) string { return e.ID }),
		field("record", "String", func(e *model.RegisterEvent) string { return e.Record }),
		field("seq", "UInt64", func(e *model.RegisterEvent) uint64 { return e.Seq }),
		moment("time", func(e *model.RegisterEvent) time.Time { return e.Time }),
		field("type", "String", func(e *model.RegisterEvent) string { return e.Type }),
		field("actor_id", "String", func(e *model.RegisterEvent) string { return e.Actor.ID }),
		field("actor_kind", "String", func(e *model.RegisterEvent) string { return e.Actor.Kind }),
		field("actor_role", "String", func(e *model.RegisterEvent) string { return e.Actor.Role }),
		field("data", "String", func(e *model.RegisterEvent) string { return string(e.Data) }),
		field("prev_hash", "String", func(e *model.RegisterEvent) string { return string(e.PrevHash) }),
		field("hash", "String", func(e *model.RegisterEvent) string { return string(e.Hash) }),
	},
}

var deliveriesTable = table[model.Delivery]{
	name: "deliveries",
	columns: []column[model.Delivery]{
		field("sink", "String", func(d *model.Delivery) string { return d.Sink }),
		field("event", "String", func(d *model.Delivery) string { return d.Event }),
		field("attempt", "Int32", func(d *model.Delivery) int32 { return int32(d.Attempt) }),
		field("ok", "Bool", func(d *model.Delivery) bool { return d.OK }),
		field("ticket", "String", func(d *model.Delivery) string { return d.Ticket }),
		field("error", "String", func(d *model.Delivery) string { return d.Error }),
		moment("time", func(d *model.Delivery) time.Time { return d.Time }),
	},
}
