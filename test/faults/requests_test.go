package faults

import (
	"math"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/evenkeel/evenkeel/signal"
)

// The kinds of ids, each with a way of its own into the store.
const (
	kindWindows     = "windows" // profiles: rows of otel_logs and of distributions
	kindMetrics     = "metrics"
	kindTraces      = "traces"
	kindPredictions = "predictions"
)

var kinds = []string{kindWindows, kindMetrics, kindTraces, kindPredictions}

// pathOf is where requests of a kind are posted.
func pathOf(kind string) string {
	switch kind {
	case kindMetrics:
		return "/v1/metrics"
	case kindTraces:
		return "/v1/traces"
	}
	return "/v1/logs"
}

// request is an export request with one item for each id.
func request(kind string, ids []string) []byte {
	var raw []byte
	var err error
	switch kind {
	case kindMetrics:
		raw, err = pmetricotlp.NewExportRequestFromMetrics(points(ids)).MarshalProto()
	case kindTraces:
		raw, err = ptraceotlp.NewExportRequestFromTraces(spans(ids)).MarshalProto()
	default:
		raw, err = plogotlp.NewExportRequestFromLogs(events(kind, ids)).MarshalProto()
	}
	if err != nil {
		panic(err) // the request holds nothing but short strings and numbers
	}
	return raw
}

// over is when the windows ended: not so long ago that they are refused, and
// too long for anybody to seal them.
var over = time.Now().Add(-30 * 24 * time.Hour).Truncate(time.Minute)

func identify(r pcommon.Resource) {
	r.Attributes().PutStr(signal.KeyServiceName, "faults")
	r.Attributes().PutStr(signal.KeySystemID, "faults")
}

func events(kind string, ids []string) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	identify(rl.Resource())
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, id := range ids {
		record := records.AppendEmpty()
		if kind == kindPredictions {
			record.SetEventName(signal.EventPrediction)
			put(record.Attributes(), signal.EncodePrediction(&signal.Prediction{
				System: "faults", Model: signal.ModelRef{Name: "faults"}, Instance: "faults", ID: id, Time: over, Value: "1", Score: 0.5, Rate: 1,
			}))
			continue
		}
		record.Body().SetStr(id)
		record.SetEventName(signal.EventWindowProfile)
		put(record.Attributes(), signal.EncodeDistribution(&signal.Distribution{
			Model: signal.ModelRef{Name: "faults"}, Feature: signal.FeatureName(id), Target: signal.TargetFeature, Kind: signal.Numeric,
			Window: signal.WindowID{Instance: "faults", Sequence: 1}, Parts: len(ids),
			Start: over.Add(-time.Minute), End: over,
			Counts: []uint64{1, 0}, N: 1, Min: math.NaN(), Max: math.NaN(),
		}))
	}
	return logs
}

// points puts the number at an id's end into the value, and what stands before it
// into a label, so that the series are few.
func points(ids []string) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	identify(rm.Resource())
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("faults_points")
	list := m.SetEmptyGauge().DataPoints()
	for _, id := range ids {
		cut := strings.LastIndexByte(id, '/')
		value, err := strconv.ParseFloat(id[cut+1:], 64)
		if err != nil {
			panic(err) // every id ends in a number
		}
		p := list.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(over))
		p.Attributes().PutStr("of", id[:cut])
		p.SetDoubleValue(value)
	}
	return metrics
}

func spans(ids []string) ptrace.Traces {
	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	identify(rs.Resource())
	list := rs.ScopeSpans().AppendEmpty().Spans()
	for i, id := range ids {
		s := list.AppendEmpty()
		s.SetName("faults")
		s.SetTraceID([16]byte{1, byte(i)})
		s.SetSpanID([8]byte{1, byte(i)})
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(over))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(over.Add(time.Second)))
		s.Attributes().PutStr("id", id)
	}
	return traces
}

func put(to pcommon.Map, attrs []signal.Attr) {
	for _, a := range attrs {
		value := a.Value
		if counts, ok := value.([]int64); ok {
			list := make([]any, len(counts))
			for i, c := range counts {
				list[i] = c
			}
			value = list
		}
		if err := to.PutEmpty(a.Key).FromRaw(value); err != nil {
			panic(err) // an attribute of ours is of a type that OTLP has
		}
	}
}
