package export

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/trace"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/span"
	"github.com/evenkeel/evenkeel/internal/errs"
	"github.com/evenkeel/evenkeel/signal"
)

func keeper() *span.Keeper {
	return span.New(span.Settings{Send: true, Rate: 1, MaxCount: 5, MaxBytes: 1 << 20, Every: time.Hour}, nil)
}

func asked(k *span.Keeper, n int) {
	for i := range n {
		k.Add(&span.Request{
			Model: signal.ModelRef{Name: "loans", Version: "7"}, ID: fmt.Sprint("r", i), Traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			Start: noon.Add(-30 * time.Second), End: noon.Add(-29 * time.Second), Status: 200, Counted: noon.Add(-30 * time.Second),
			Attrs: func() []signal.Attr {
				return []signal.Attr{{Key: "text", Value: "\xff"}, {Key: "share", Value: .5}, {Key: "list", Value: []string{"a", "b"}}, {Key: "flag", Value: true}}
			},
		})
	}
}

// What arrives on the wire is what was told, to the last field, and a window and
// its records name each other.
func TestSpansArriveExact(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	k := keeper()
	e := newExporter(t, t.TempDir(), receiver.URL(), func(o *Options) { o.Spans = k })
	e.Start()
	asked(k, 1)
	publish(t, e, closedWindow(1, "7"))
	e.writeSpans()
	otlptest.Eventually(t, "two spans", func() bool { return len(receiver.Spans("inference"))+len(receiver.Spans("evaluate_window")) == 2 })

	s := receiver.Spans("inference")[0]
	want := map[string]any{
		signal.KeyModelName: "loans", signal.KeyModelVersion: "7", signal.KeyPredictionID: "r0", "http.response.status_code": int64(200),
		signal.KeySpanChoice: "sampled", signal.KeySpanRate: 1.0, "text": "\uFFFD", "share": .5, "list": []any{"a", "b"}, "flag": "true",
	}
	if got := s.Attributes().AsRaw(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	if s.TraceID().String() != "4bf92f3577b34da6a3ce929d0e0e4736" || s.ParentSpanID().String() != "00f067aa0ba902b7" || s.Flags() != 1 ||
		s.Kind() != ptrace.SpanKindServer || !s.StartTimestamp().AsTime().Equal(noon.Add(-30*time.Second)) || s.EndTimestamp().AsTime().Sub(s.StartTimestamp().AsTime()) != time.Second {
		t.Errorf("%+v", s)
	}
	if s.Resource[signal.KeyInstanceID] != "i-1" || s.Resource[signal.KeyServiceName] != serviceName || s.Scope != scopeName {
		t.Errorf("from %v, scope %s", s.Resource, s.Scope)
	}
	w := receiver.Spans("evaluate_window")[0]
	if w.Kind() != ptrace.SpanKindInternal || w.Links().Len() != 1 || w.Links().At(0).SpanID() != s.SpanID() || w.Links().At(0).TraceID() != s.TraceID() {
		t.Errorf("the window's span: %v with %d links", w.Kind(), w.Links().Len())
	}
	otlptest.Eventually(t, "the window's records", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 3 })
	for _, ev := range receiver.Events(signal.EventWindowProfile) {
		if ev.TraceID != w.TraceID().String() || ev.SpanID != w.SpanID().String() {
			t.Errorf("a record names %s in %s", ev.SpanID, ev.TraceID)
		}
	}
	for _, r := range receiver.Accepted() {
		if r.Path == "/v1/traces" && r.Batch == "" {
			t.Error("a request of spans has no batch")
		}
	}
}

// A window that is held and written again carries the same name.
func TestHeldWindowsKeepTheNameOfTheirSpan(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), func(o *Options) { o.Spans = keeper() })
	e.spool.syncFolder = func(string) error { return errors.New("the disk is gone") }
	c := closedWindow(1, "7")
	if err := e.Publish(context.Background(), c); err == nil {
		t.Fatal("published without a disk")
	}
	e.spool.syncFolder = syncFolder
	e.Start()
	e.retryHeld(context.Background())
	otlptest.Eventually(t, "the window", func() bool { return len(receiver.Events(signal.EventWindowProfile)) == 3 })
	if want, got := span.WindowContext(c.Model, c.ID).SpanID().String(), receiver.Events(signal.EventWindowProfile)[0].SpanID; got != want {
		t.Errorf("it names %q, want %q", got, want)
	}
}

// Every span that was made or was too much is sent or counted as lost, by reason.
func TestEverySpanIsAccountedFor(t *testing.T) {
	collector := otlptest.Start(t, nil)
	k := keeper()
	e := newExporter(t, t.TempDir(), collector.URL(), func(o *Options) { o.Spans = k })
	interval := func(n int) {
		asked(k, n)
		e.writeSpans()
	}
	fail := func(name string, ok bool) {
		if !ok {
			t.Fatal(name)
		}
	}
	interval(7) // 2 beyond the bound
	e.spool.syncFolder = func(string) error { return errors.New("the disk is gone") }
	interval(3)
	e.spool.syncFolder = syncFolder
	interval(4)
	answers := []otlptest.Answer{
		{Body: partialSpans(t, 2), ContentType: "application/x-protobuf"},
		{Status: http.StatusBadRequest, ContentType: "application/json", Body: []byte(`{"code":3,"message":"no"}`)},
	}
	collector.Answer(func(otlptest.Request) otlptest.Answer {
		a := answers[0]
		answers = answers[1:]
		return a
	})
	s := e.senders[len(e.senders)-1]
	fail("the last sender is that of traces", s.kind == Traces)
	for range 2 {
		fail("forward", s.forward(context.Background()) == nil)
	}
	got := e.traces.lost(e.spool.Counts(Traces), k.GivenUp())
	want := map[string]int64{lostBound: 2, lostSpool: 3, lostUnsent: 0, lostRefused: 2 + 4, lostExpired: 0, lostDamaged: 0}
	if sent := e.spool.Counts(Traces).RecordsSent; sent != 5-2 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d sent, lost %v; want 3 and %v", sent, got, want)
	}
}

func partialSpans(t *testing.T, n int64) []byte {
	t.Helper()
	raw, err := proto.Marshal(&coltrace.ExportTraceServiceResponse{PartialSuccess: &coltrace.ExportTracePartialSuccess{RejectedSpans: n, ErrorMessage: "too old"}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Windows never wait for want of room that spans or predictions have; spans go
// first, and never have more than an eighth.
func TestSpansMakeRoomForWindowsBeforePredictionsDo(t *testing.T) {
	s, err := openSpool(t.TempDir(), 80_000, 1, quiet())
	if err != nil {
		t.Fatal(err)
	}
	body := make([]byte, 5_000)
	put := func(k Kind) error { return s.Append(&request{Kind: k, Path: "/", Body: body, Records: 1}) }
	if put(Traces) != nil || errs.KindOf(put(Traces)) != errs.Exhausted { // with their heads, two are more than an eighth
		t.Error("traces may use an eighth")
	}
	for range 3 {
		if err := put(Predictions); err != nil {
			t.Fatal(err)
		}
	}
	for put(Logs) == nil {
		traces, rows := s.Counts(Traces), s.Counts(Predictions)
		if rows.Evicted > 0 && traces.Waiting > 0 {
			t.Fatal("a prediction made room before a span did")
		}
	}
	if c, p := s.Counts(Traces), s.Counts(Predictions); c.RecordsEvicted != 1 || p.RecordsEvicted != 3 {
		t.Errorf("%d spans and %d predictions made room", c.RecordsEvicted, p.RecordsEvicted)
	}
}

// Nobody asked for spans: nothing is written, and windows name none.
func TestNoSpans(t *testing.T) {
	receiver := otlptest.Start(t, nil)
	e := newExporter(t, t.TempDir(), receiver.URL(), nil)
	publish(t, e, closedWindow(1, "7"))
	e.writeSpans()
	if c := e.spool.Counts(Traces); c.Appended != 0 {
		t.Errorf("%+v", c)
	}
	if trace.SpanContextFromContext(e.traced(context.Background(), closedWindow(1, "7"))).IsValid() {
		t.Error("a window names a span that is not told")
	}
}
