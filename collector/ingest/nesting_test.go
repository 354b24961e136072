package ingest

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// wrapped puts an empty value into messages, given by their tags from the
// inside out.
func wrapped(tags []byte) []byte {
	var reversed []byte // built back to front, so that deep ones stay linear
	for _, tag := range tags {
		size := binary.AppendUvarint(nil, uint64(len(reversed)))
		slices.Reverse(size)
		reversed = append(append(reversed, size...), tag)
	}
	slices.Reverse(reversed)
	return reversed
}

// nestedLog is a log record whose body holds lists in lists.
func nestedLog(levels int) []byte {
	tags := slices.Repeat([]byte{0x0a, 0x2a}, levels)    // ArrayValue.values, AnyValue.array_value
	return wrapped(append(tags, 0x2a, 0x12, 0x12, 0x0a)) // body, log_records, scope_logs, resource_logs
}

func TestDeepValuesAreRefusedBeforeTheyAreDecoded(t *testing.T) {
	for levels, refused := range map[int]bool{1: false, 40: false, 60: true, 1_650_000: true} {
		payload := nestedLog(levels)
		_, err := admit(spool.Logs, payload, time.Now(), Limits{}, nil)
		if refused != (errs.KindOf(err) == errs.Invalid) {
			t.Errorf("%d levels: admit: %v", levels, err)
		}
		if err := NewDecoder().Add(spool.Logs, payload, time.Now()); (err != nil) != refused {
			t.Errorf("%d levels: add: %v", levels, err)
		}
	}
	deep := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 100_000)
	if _, err := fromJSON(spool.Logs, []byte(deep)); errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), "deeper") {
		t.Errorf("JSON: %v", err)
	}
}

// Every place of a request where a value may stand is walked.
func TestDeepValuesAreFoundEverywhere(t *testing.T) {
	deepen := func(v pcommon.Value) {
		for range maxNesting {
			v = v.SetEmptySlice().AppendEmpty()
		}
	}
	put := func(m pcommon.Map) { deepen(m.PutEmpty("deep")) }
	for name, place := range map[string]func(plog.ResourceLogs, plog.ScopeLogs, plog.LogRecord){
		"resource":  func(r plog.ResourceLogs, _ plog.ScopeLogs, _ plog.LogRecord) { put(r.Resource().Attributes()) },
		"scope":     func(_ plog.ResourceLogs, s plog.ScopeLogs, _ plog.LogRecord) { put(s.Scope().Attributes()) },
		"attribute": func(_ plog.ResourceLogs, _ plog.ScopeLogs, l plog.LogRecord) { put(l.Attributes()) },
		"body":      func(_ plog.ResourceLogs, _ plog.ScopeLogs, l plog.LogRecord) { deepen(l.Body()) },
		"map in body": func(_ plog.ResourceLogs, _ plog.ScopeLogs, l plog.LogRecord) {
			put(l.Body().SetEmptyMap())
		},
	} {
		logs := plog.NewLogs()
		r := logs.ResourceLogs().AppendEmpty()
		s := r.ScopeLogs().AppendEmpty()
		place(r, s, s.LogRecords().AppendEmpty())
		payload, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		if err := checkNesting(spool.Logs, payload); err == nil {
			t.Errorf("logs: %s: not found", name)
		}
	}
	for name, place := range map[string]func(pmetric.Metric){
		"metadata":    func(m pmetric.Metric) { put(m.Metadata()) },
		"gauge":       func(m pmetric.Metric) { put(m.SetEmptyGauge().DataPoints().AppendEmpty().Attributes()) },
		"sum":         func(m pmetric.Metric) { put(m.SetEmptySum().DataPoints().AppendEmpty().Attributes()) },
		"histogram":   func(m pmetric.Metric) { put(m.SetEmptyHistogram().DataPoints().AppendEmpty().Attributes()) },
		"exponential": func(m pmetric.Metric) { put(m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty().Attributes()) },
		"summary":     func(m pmetric.Metric) { put(m.SetEmptySummary().DataPoints().AppendEmpty().Attributes()) },
		"exemplar": func(m pmetric.Metric) {
			put(m.SetEmptyGauge().DataPoints().AppendEmpty().Exemplars().AppendEmpty().FilteredAttributes())
		},
	} {
		metrics := pmetric.NewMetrics()
		place(metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty())
		payload, err := pmetricotlp.NewExportRequestFromMetrics(metrics).MarshalProto()
		if err != nil {
			t.Fatal(err)
		}
		if err := checkNesting(spool.Metrics, payload); err == nil {
			t.Errorf("metrics: %s: not found", name)
		}
	}
}

// A batch that makes the decoder panic is put aside, and does not come again.
func TestPanicWhileDecodingIsAnError(t *testing.T) {
	if _, err := decodeBatch(NewDecoder(), nil); errs.KindOf(err) != errs.Corrupt || !strings.Contains(err.Error(), "panic") {
		t.Errorf("got %v", err)
	}
}
