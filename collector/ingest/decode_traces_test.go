package ingest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
)

var (
	aTrace = pcommon.TraceID{0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c}
	aSpan  = pcommon.SpanID{0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31}
)

// newTraces gives a request with one resource and a place for spans.
func newTraces() (ptraceotlp.ExportRequest, ptrace.SpanSlice) {
	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	describe(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("test")
	ss.Scope().SetVersion("1.2")
	return ptraceotlp.NewExportRequestFromTraces(traces), ss.Spans()
}

// fullSpan fills every field of a span that a column has.
func fullSpan(s ptrace.Span, start time.Time) {
	s.SetTraceID(aTrace)
	s.SetSpanID(aSpan)
	s.SetParentSpanID(pcommon.SpanID{1})
	s.TraceState().FromRaw("a=b")
	s.SetName("inference")
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(1500)))
	s.Attributes().PutInt("http.response.status_code", 200)
	s.Attributes().PutEmptySlice("tags").AppendEmpty().SetStr("x")
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("no")
	e := s.Events().AppendEmpty()
	e.SetName("queued")
	e.SetTimestamp(pcommon.NewTimestampFromTime(start.Add(7)))
	e.Attributes().PutStr("queue", "a")
	s.Events().AppendEmpty().SetName("without a time")
	l := s.Links().AppendEmpty()
	l.SetTraceID(pcommon.TraceID{2})
	l.SetSpanID(pcommon.SpanID{3})
	l.TraceState().FromRaw("c=d")
	l.Attributes().PutBool("sampled", true)
}

func TestSpansKeepAllThatColumnsHave(t *testing.T) {
	req, spans := newTraces()
	fullSpan(spans.AppendEmpty(), noon)
	bare := spans.AppendEmpty()
	bare.SetStartTimestamp(pcommon.NewTimestampFromTime(noon))
	bare.SetEndTimestamp(1) // before it began
	d := decode(t, spool.Traces, bytesOf(t, req))
	resource := map[string]string{"evenkeel.system.id": "loan-approval", "service.name": "loans", "service.instance.id": "agent-1", "host.name": "only in logs"}
	want := []model.Span{{
		Time: noon, Duration: 1500, TraceID: "0af7651916cd43dd8448eb211c80319c", SpanID: "b7ad6b7169203331", ParentSpanID: "0100000000000000",
		TraceState: "a=b", Name: "inference", Kind: "Server", ServiceName: "loans", ScopeName: "test", ScopeVersion: "1.2",
		StatusCode: "Error", StatusMessage: "no", ResourceAttributes: resource,
		SpanAttributes: map[string]string{"http.response.status_code": "200", "tags": `["x"]`},
		Events: []model.SpanEvent{
			{Time: noon.Add(7), Name: "queued", Attributes: map[string]string{"queue": "a"}},
			{Time: noon, Name: "without a time", Attributes: map[string]string{}},
		},
		Links: []model.SpanLink{{
			TraceID: "02000000000000000000000000000000", SpanID: "0300000000000000", TraceState: "c=d", Attributes: map[string]string{"sampled": "true"},
		}},
	}, {
		Time: noon, Kind: "Unspecified", ServiceName: "loans", ScopeName: "test", ScopeVersion: "1.2", StatusCode: "Unset",
		ResourceAttributes: resource, SpanAttributes: map[string]string{},
	}}
	if !reflect.DeepEqual(d.Rows.Spans, want) || d.Items != 2 {
		t.Errorf("got %+v\nwant %+v", d.Rows.Spans, want)
	}
}

// TestTracesReachTheStoreOnce sends the same spans over both transports, in
// every form, and each of them ten times.
func TestTracesReachTheStoreOnce(t *testing.T) {
	ctx := context.Background()
	store := storetest.Open(t)
	s := serve(t, nil, nil)
	stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	conn, err := grpc.NewClient(s.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := ptraceotlp.NewGRPCClient(conn)
	now := time.Now().Truncate(time.Second)
	request := func(span string, at time.Time) ptraceotlp.ExportRequest {
		req, spans := newTraces()
		fullSpan(spans.AppendEmpty(), at)
		spans.At(0).SetName(span)
		return req
	}
	url := "http://" + s.HTTPAddr() + "/v1/traces"
	asJSON, err := request("json", now.Add(time.Second)).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if resp, err := client.Export(ctx, request("grpc", now), grpc.UseCompressor("zstd")); err != nil || resp.PartialSuccess().RejectedSpans() != 0 {
			t.Fatalf("%+v, %v", resp, err)
		}
		for _, r := range []reply{
			post(t, url, typeProto, "zstd", zstandard(t, bytesOf(t, request("http", now.Add(2*time.Second))))),
			post(t, url, typeJSON, "gzip", zipped(t, asJSON)),
		} {
			if r.status != 200 {
				t.Fatalf("%d %q", r.status, r.body)
			}
		}
	}
	s.waitUntilStored(t)
	stop()
	row := store.Conn().QueryRow(ctx, `SELECT count(), uniqExact(SpanName), countIf(batch > 0), min(toUInt64(length(Events.Name))),
		any(Events.Attributes[1]['queue']), any(Links.TraceId[1]), any(SpanAttributes['tags']), any(Duration) FROM otel_traces`)
	var all, names, batched, events, duration uint64
	var queue, link, tags string
	if err := row.Scan(&all, &names, &batched, &events, &queue, &link, &tags, &duration); err != nil {
		t.Fatal(err)
	}
	if all != 3 || names != 3 || batched != 3 || events != 2 || queue != "a" || link != "02000000000000000000000000000000" || tags != `["x"]` || duration != 1500 {
		t.Errorf("%d spans, %d names, %d with a batch, %d events, %q %q %q %d", all, names, batched, events, queue, link, tags, duration)
	}
	var first, last time.Time
	row = store.Conn().QueryRow(ctx, "SELECT min(Start), max(End) FROM otel_traces_trace_id_ts WHERE TraceId = ?", "0af7651916cd43dd8448eb211c80319c")
	if err := row.Scan(&first, &last); err != nil || !first.Equal(now) || !last.Equal(now.Add(2*time.Second)) {
		t.Errorf("the trace lasted from %s to %s, %v; want %s and two seconds", first, last, err, now)
	}
	if n := s.metricValue(t, "evenkeel_ingest_records", "signal", "traces"); n != 3 {
		t.Errorf("evenkeel_ingest_records %v", n)
	}
}
