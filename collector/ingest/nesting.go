package ingest

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/internal/errs"
)

// maxNesting bounds how deep a request's messages stand in each other. Values
// may hold lists of values without end, and whoever decodes or prints them
// recurses: a deep enough request would exhaust the stack, which no recover
// catches.
const maxNesting = 100

// The messages of OTLP in which values nest.
const (
	inOther = iota
	inLogsRequest
	inResourceLogs
	inScopeLogs
	inLogRecord
	inMetricsRequest
	inResourceMetrics
	inScopeMetrics
	inMetric
	inNumberData
	inHistogramData
	inExponentialData
	inSummaryData
	inNumberPoint
	inHistogramPoint
	inExponentialPoint
	inSummaryPoint
	inExemplar
	inTracesRequest
	inResourceSpans
	inScopeSpans
	inSpan
	inSpanEvent
	inSpanLink
	inResource
	inScope
	inKeyValue
	inAnyValue
	inArrayValue
	inKeyValueList
)

// nests says which fields of a message are messages that lead to values, by
// field number as in opentelemetry-proto.
var nests = [...]map[protowire.Number]int{
	inLogsRequest:      {1: inResourceLogs},
	inResourceLogs:     {1: inResource, 2: inScopeLogs},
	inScopeLogs:        {1: inScope, 2: inLogRecord},
	inLogRecord:        {5: inAnyValue, 6: inKeyValue},
	inMetricsRequest:   {1: inResourceMetrics},
	inResourceMetrics:  {1: inResource, 2: inScopeMetrics},
	inScopeMetrics:     {1: inScope, 2: inMetric},
	inMetric:           {5: inNumberData, 7: inNumberData, 9: inHistogramData, 10: inExponentialData, 11: inSummaryData, 12: inKeyValue},
	inNumberData:       {1: inNumberPoint},
	inHistogramData:    {1: inHistogramPoint},
	inExponentialData:  {1: inExponentialPoint},
	inSummaryData:      {1: inSummaryPoint},
	inNumberPoint:      {5: inExemplar, 7: inKeyValue},
	inHistogramPoint:   {8: inExemplar, 9: inKeyValue},
	inExponentialPoint: {1: inKeyValue, 11: inExemplar},
	inSummaryPoint:     {7: inKeyValue},
	inExemplar:         {7: inKeyValue},
	inTracesRequest:    {1: inResourceSpans},
	inResourceSpans:    {1: inResource, 2: inScopeSpans},
	inScopeSpans:       {1: inScope, 2: inSpan},
	inSpan:             {9: inKeyValue, 11: inSpanEvent, 13: inSpanLink},
	inSpanEvent:        {3: inKeyValue},
	inSpanLink:         {4: inKeyValue},
	inResource:         {1: inKeyValue},
	inScope:            {3: inKeyValue},
	inKeyValue:         {2: inAnyValue},
	inAnyValue:         {5: inArrayValue, 6: inKeyValueList},
	inArrayValue:       {1: inAnyValue},
	inKeyValueList:     {1: inKeyValue},
}

// checkNesting refuses a request whose values nest too deep. It walks the bytes
// without recursion; what is malformed is left to the decoder to name.
func checkNesting(kind spool.Kind, payload []byte) error {
	type message struct{ kind, end int }
	var stack [maxNesting]message
	stack[0] = message{inLogsRequest, len(payload)}
	switch kind {
	case spool.Metrics:
		stack[0].kind = inMetricsRequest
	case spool.Traces:
		stack[0].kind = inTracesRequest
	}
	for at, depth := 0, 1; depth > 0; {
		top := stack[depth-1]
		if at >= top.end {
			depth--
			continue
		}
		number, wire, n := protowire.ConsumeTag(payload[at:top.end])
		if n < 0 {
			return nil
		}
		at += n
		inner := nests[top.kind][number]
		if inner == inOther || wire != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, wire, payload[at:top.end]); n < 0 {
				return nil
			}
			at += n
			continue
		}
		size, n := protowire.ConsumeVarint(payload[at:top.end])
		if n < 0 || size > uint64(top.end-at-n) {
			return nil
		}
		if depth == maxNesting {
			return tooDeep(kind)
		}
		at += n
		stack[depth] = message{inner, at + int(size)}
		depth++
	}
	return nil
}

// checkNestingJSON is checkNesting for OTLP/JSON, where each level of a value
// takes up to three brackets.
func checkNestingJSON(kind spool.Kind, body []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > 3*maxNesting {
				return tooDeep(kind)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

func tooDeep(kind spool.Kind) error {
	return errs.E("decode "+kind.String(), errs.Invalid, fmt.Errorf("values nest deeper than %d messages", maxNesting), "send flatter attributes and bodies")
}
