package ingest

import (
	"math"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/signal"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func describe(r pcommon.Resource) {
	r.Attributes().PutStr(signal.KeySystemID, "loan-approval")
	r.Attributes().PutStr(signal.KeyServiceName, "loans")
	r.Attributes().PutStr(signal.KeyInstanceID, "agent-1")
	r.Attributes().PutStr("host.name", "only in logs")
}

// newLogs gives a request with one resource and a place for records.
func newLogs() (plogotlp.ExportRequest, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	describe(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("test")
	return plogotlp.NewExportRequestFromLogs(logs), sl.LogRecords()
}

func newMetrics() (pmetricotlp.ExportRequest, pmetric.MetricSlice) {
	metrics := pmetric.NewMetrics()
	rm := metrics.ResourceMetrics().AppendEmpty()
	describe(rm.Resource())
	return pmetricotlp.NewExportRequestFromMetrics(metrics), rm.ScopeMetrics().AppendEmpty().Metrics()
}

func bytesOf(t testing.TB, r interface{ MarshalProto() ([]byte, error) }) []byte {
	t.Helper()
	b, err := r.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// window is a distribution as an agent sends it.
func window(sequence uint64) *signal.Distribution {
	return &signal.Distribution{
		System:   "loan-approval",
		Model:    signal.ModelRef{Name: "loans", Version: "3"},
		Window:   signal.WindowID{Instance: "agent-1", Sequence: sequence},
		Start:    noon,
		End:      noon.Add(time.Minute),
		Parts:    1,
		Baseline: signal.Digest(canonical.Sum([]byte("baseline"))),
		Bounds:   signal.Digest(canonical.Sum([]byte("bounds"))),
		Target:   signal.TargetFeature,
		Feature:  "income",
		Kind:     signal.Numeric,
		Counts:   []uint64{3, 5, 2},
		Missing:  1, New: 1, N: 12,
		Sum: 70.5, SumSquares: 700.25, Min: 1, Max: 17,
		Capture: signal.Capture{Seen: 12, Profiled: 12},
	}
}

func putWindow(lr plog.LogRecord, d *signal.Distribution) {
	lr.SetEventName(signal.EventWindowProfile)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(d.End))
	put(lr, signal.EncodeDistribution(d))
}

// put sets attributes as an agent does.
func put(lr plog.LogRecord, attrs []signal.Attr) {
	for _, a := range attrs {
		switch v := a.Value.(type) {
		case string:
			lr.Attributes().PutStr(a.Key, v)
		case int64:
			lr.Attributes().PutInt(a.Key, v)
		case float64:
			lr.Attributes().PutDouble(a.Key, v)
		case []int64:
			s := lr.Attributes().PutEmptySlice(a.Key)
			for _, n := range v {
				s.AppendEmpty().SetInt(n)
			}
		case []float64:
			s := lr.Attributes().PutEmptySlice(a.Key)
			for _, x := range v {
				s.AppendEmpty().SetDouble(x)
			}
		}
	}
}

func baseline() *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat,
		Model:  signal.ModelRef{Name: "loans", Version: "3"},
		Rows:   10,
		Features: []signal.FeatureBaseline{{
			Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric,
			Grid: []float64{1, 2}, Deciles: []int{0, 1}, Counts: []uint64{3, 4, 3}, N: 10, Min: 0.5, Max: math.Pi,
		}},
	}
}
