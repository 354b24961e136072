package ingest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/signal"
)

// whole decodes as pdata does, and nothing quickly.
func whole(d *Decoder, kind spool.Kind, payload []byte) error {
	r, err := parse(kind, payload)
	if err == nil {
		d.add(r, noon)
	}
	return err
}

// withoutNaN makes rows that can be compared: NaN is not equal to itself.
func withoutNaN(d *Decoder) *Decoder {
	for i := range d.Rows.Samples {
		s := &d.Rows.Samples[i]
		if math.IsNaN(s.Value) {
			s.Fingerprint, s.Value = s.Fingerprint^math.Float64bits(s.Value), 0
		}
	}
	for i, w := range d.Rows.Distributions {
		d.Rows.Logs = append(d.Rows.Logs, model.Log{Body: fmt.Sprintf("%+v", *w)})
		d.Rows.Distributions[i] = nil
	}
	for i := range d.Rows.Predictions {
		if p := &d.Rows.Predictions[i]; math.IsNaN(p.Score) {
			p.Score = math.MaxFloat64
		}
	}
	return d
}

// sameBothWays decodes and admits a payload quickly and as a whole, twice in a
// row as in a batch, and wants the same rows, tallies and budgets.
func sameBothWays(t *testing.T, kind spool.Kind, payload []byte, limits Limits) {
	t.Helper()
	quickly, wholly := NewDecoder(), NewDecoder()
	for range 2 {
		err, wholeErr := quickly.Add(kind, payload, noon), whole(wholly, kind, payload)
		if (err == nil) != (wholeErr == nil) {
			t.Fatalf("quickly %v, as a whole %v", err, wholeErr)
		}
	}
	withoutNaN(quickly)
	withoutNaN(wholly)
	if quickly.Rows.Empty() && wholly.Rows.Empty() {
		quickly.Rows = wholly.Rows // nil or empty
	}
	if !reflect.DeepEqual(quickly.Rows, wholly.Rows) || !reflect.DeepEqual(quickly.Tally, wholly.Tally) {
		t.Fatalf("quickly\n%+v\n%+v\nas a whole\n%+v\n%+v", quickly.Tally, quickly.Rows, wholly.Tally, wholly.Rows)
	}
	one, two := newSeriesBudget(limits.Series), newSeriesBudget(limits.Series)
	for range 2 {
		inspector := NewDecoder()
		inspector.inspect = true
		a, err := admit(kind, payload, noon, limits, one)
		b, wholeErr := admitWhole(inspector, kind, payload, noon, limits, two)
		if (err == nil) != (wholeErr == nil) || !reflect.DeepEqual(a, b) {
			t.Fatalf("admitted quickly\n%+v, %v\nas a whole\n%+v, %v", a, err, b, wholeErr)
		}
		if err == nil && (one.total != two.total || !reflect.DeepEqual(one.sources, two.sources)) {
			t.Fatalf("the budget after\n%+v\nas a whole\n%+v", one, two)
		}
	}
}

// oddMetrics is a request with one of everything that numbers can have, and
// metrics of the other types.
func oddMetrics(t testing.TB) []byte {
	req, metrics := newMetrics()
	rm := req.Metrics().ResourceMetrics().At(0)
	rm.Resource().Attributes().PutEmptySlice("process.command_args").AppendEmpty().SetStr("serve")
	gauge := func(name string) pmetric.NumberDataPointSlice {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetUnit("1")
		m.SetDescription("what it is")
		return m.SetEmptyGauge().DataPoints()
	}
	point := func(points pmetric.NumberDataPointSlice) pmetric.NumberDataPoint {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(noon))
		return p
	}
	p := point(gauge("plain"))
	p.SetDoubleValue(1.5)
	p.Attributes().PutStr("b", "x")
	p.Attributes().PutStr("a", "")
	p = point(gauge("scalars"))
	p.SetIntValue(-3)
	p.Attributes().PutBool("yes", true)
	p.Attributes().PutBool("no", false)
	p.Attributes().PutInt("n", -1)
	p.Attributes().PutDouble("f", 0.1)
	p.Attributes().PutStr("service.name", "not that of the resource")
	points := gauge("lists")
	point(points).Attributes().PutEmptySlice("list").AppendEmpty().SetInt(1)
	point(points).Attributes().PutEmptyBytes("bytes").FromRaw([]byte{1, 2})
	point(points).Attributes().PutEmpty("nothing")
	p = point(gauge("stale"))
	p.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	p = point(gauge("exemplar"))
	p.Exemplars().AppendEmpty().SetDoubleValue(2)
	point(gauge("names that clash")).Attributes().PutStr("x.y", "1")
	p = point(gauge("names that clash"))
	p.Attributes().PutStr("x.y", "1")
	p.Attributes().PutStr("x_y", "2")
	point(gauge("not UTF-8")).Attributes().PutStr("k", "\xff")
	point(gauge("reserved")).Attributes().PutStr("__name__", "x")
	point(gauge("no key")).Attributes().PutStr("", "x")
	gauge("no time").AppendEmpty().SetIntValue(1)
	gauge("no points")
	point(gauge("")).SetIntValue(1)
	metrics.AppendEmpty().SetName("no data")
	for _, temporality := range []pmetric.AggregationTemporality{0, 1, 2, 3} {
		m := metrics.AppendEmpty()
		m.SetName("sum")
		s := m.SetEmptySum()
		s.SetAggregationTemporality(temporality)
		s.SetIsMonotonic(temporality != 3)
		point(s.DataPoints()).SetIntValue(4)
	}
	m := metrics.AppendEmpty()
	m.SetName("summary")
	q := m.SetEmptySummary().DataPoints().AppendEmpty()
	q.QuantileValues().AppendEmpty().SetQuantile(0.5)
	q.Attributes().PutStr("a", "b")
	scope := rm.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName("another\xff")
	scope.Scope().Attributes().PutStr("k", "v")
	metrics = scope.Metrics()
	point(gauge("plain")).SetDoubleValue(2)
	other := req.Metrics().ResourceMetrics().AppendEmpty()
	other.SetSchemaUrl("https://opentelemetry.io/schemas/1.30.0")
	metrics = other.ScopeMetrics().AppendEmpty().Metrics()
	point(gauge("plain")).SetDoubleValue(3)
	return bytesOf(t, req)
}

// oddLogs is a request with predictions of every kind, and records among them
// that are none.
func oddLogs(t testing.TB) []byte {
	full := prediction("a", 7)
	bare := &signal.Prediction{Model: signal.ModelRef{Name: "loans"}, ID: "b", Score: math.NaN(), Rate: 1}
	req := predictions(full, full, bare)
	records := req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(1).SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(-time.Second)))
	records.At(1).SetTraceID(pcommon.TraceID{1})
	records.At(1).SetSpanID(pcommon.SpanID{2})
	records.At(1).SetSeverityText("INFO")
	records.At(1).SetFlags(1)
	records.At(1).Attributes().PutBool("of no meaning", true)
	records.AppendEmpty().Body().SetStr("a log")
	putWindow(records.AppendEmpty(), window(1))
	for _, spoil := range []func(pcommon.Map){
		func(m pcommon.Map) { m.PutStr(signal.KeyModelName, "") },
		func(m pcommon.Map) { m.PutInt(signal.KeyModelName, 1) },
		func(m pcommon.Map) { m.PutStr("other", "\xff") },
		func(m pcommon.Map) { m.PutEmptySlice("list") },
		func(m pcommon.Map) { m.PutStr("evenkeel.prediction.row", "1") },
		func(m pcommon.Map) { m.PutInt("evenkeel.prediction.row", 1<<40) },
		func(m pcommon.Map) { m.PutInt("evenkeel.prediction.time", -1) },
		func(m pcommon.Map) { m.PutInt("evenkeel.prediction.time", 1) },
		func(m pcommon.Map) { m.PutDouble("evenkeel.prediction.rate", 0) },
		func(m pcommon.Map) { m.PutDouble("evenkeel.prediction.score", math.Inf(1)) },
		func(m pcommon.Map) { m.PutStr("evenkeel.prediction.groups", "[") },
		func(m pcommon.Map) { m.PutStr("evenkeel.prediction.groups", "null") },
		func(m pcommon.Map) { m.PutBool("evenkeel.prediction.trace_id", true) },
	} {
		more := predictions(full)
		lr := more.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		spoil(lr.Attributes())
		lr.MoveTo(records.AppendEmpty())
	}
	predictions(full).Logs().ResourceLogs().At(0).CopyTo(req.Logs().ResourceLogs().AppendEmpty())
	return bytesOf(t, req)
}

func TestQuickAndWholeGiveTheSame(t *testing.T) {
	limits := DefaultServerOptions().Limits
	strict := limits
	strict.Series.PerSource = 4
	none := Limits{}
	for name, c := range map[string]struct {
		kind    spool.Kind
		payload []byte
	}{
		"metrics": {spool.Metrics, oddMetrics(t)},
		"logs":    {spool.Logs, oddLogs(t)},
		"labels":  {spool.Logs, bytesOf(t, labels(&signal.Label{ID: "a", Value: "1"}))},
		"nothing": {spool.Metrics, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, l := range []Limits{limits, strict, none} {
				sameBothWays(t, c.kind, c.payload, l)
			}
			// Cut anywhere, and with any bit turned: refused by both, or the same.
			for i := 0; i < len(c.payload); i += 1 + len(c.payload)/1500 {
				sameBothWays(t, c.kind, c.payload[:i], limits)
				turned := slices.Clone(c.payload)
				turned[i] ^= 1 << (i % 8)
				sameBothWays(t, c.kind, turned, limits)
			}
		})
	}
}

// Protobuf lets a writer order and repeat fields as it likes.
func TestQuickAndWholeGiveTheSameForUnusualWriters(t *testing.T) {
	attribute := protowire.AppendString([]byte{0x0a}, "k")
	attribute = append(attribute, 0x12, 0x03, 0x0a, 0x01, 'v')
	backwards := append([]byte{0x12, 0x03, 0x0a, 0x01, 'v'}, protowire.AppendString([]byte{0x0a}, "k")...)
	at := protowire.AppendFixed64([]byte{0x19}, uint64(noon.UnixNano()))
	value := protowire.AppendFixed64([]byte{0x21}, math.Float64bits(2))
	integer := protowire.AppendFixed64([]byte{0x31}, 7)
	in := func(tag byte, b []byte) []byte { return protowire.AppendBytes([]byte{tag}, b) }
	for name, point := range map[string][]byte{
		"attributes apart":   slices.Concat(in(0x3a, attribute), at, in(0x3a, attribute), value),
		"the same twice":     slices.Concat(at, value, in(0x3a, attribute), in(0x3a, attribute)),
		"value before key":   slices.Concat(at, value, in(0x3a, backwards)),
		"two values":         slices.Concat(at, value, integer),
		"no value":           at,
		"an unknown field":   slices.Concat(at, value, []byte{0x78, 1}),
		"a group":            slices.Concat(at, value, []byte{0x7b, 0x7c}),
		"a long varint":      slices.Concat(at, value, []byte{0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}),
		"a wrong wire type":  slices.Concat(at, value, []byte{0x3d, 1, 2, 3, 4}),
		"an attribute alone": slices.Concat(at, value, in(0x3a, nil)),
	} {
		t.Run(name, func(t *testing.T) {
			gauge := in(0x2a, in(0x0a, point))
			metric := slices.Concat(gauge, in(0x0a, []byte("m")), in(0x0a, []byte("n")))
			scope := slices.Concat(in(0x12, metric), in(0x0a, in(0x0a, []byte("scope"))), in(0x12, metric))
			payload := in(0x0a, slices.Concat(in(0x12, scope), in(0x0a, in(0x0a, attribute)), in(0x12, scope)))
			sameBothWays(t, spool.Metrics, payload, DefaultServerOptions().Limits)
		})
	}
}

// What is taken quickly is most of what comes.
func TestQuickTakesWhatAgentsSend(t *testing.T) {
	for kind, payload := range map[spool.Kind][]byte{
		spool.Metrics: oddMetrics(t), // with single ones left to pdata
		spool.Logs:    bytesOf(t, predictions(prediction("a", 0), prediction("b", 1))),
	} {
		d := NewDecoder()
		if !d.quick(kind, payload, noon, nil) || d.Rows.Empty() {
			t.Errorf("%s are not taken quickly", kind)
		}
		if kind == spool.Metrics && len(d.streams) < 8 {
			t.Errorf("%d series are taken quickly", len(d.streams))
		}
	}
}

// A decoder that knows the series of one batch gives the next one as if it were
// new: each batch says all that it needs.
func TestDecodersOfManyBatchesGiveTheSameRows(t *testing.T) {
	used := NewDecoder()
	for n, payloads := range [][][]byte{{oddMetrics(t), benchLike(t, 5)}, {benchLike(t, 5), oddMetrics(t)}, {benchLike(t, 3)}} {
		fresh := NewDecoder()
		for _, payload := range payloads {
			for _, d := range []*Decoder{used, fresh} {
				if err := d.Add(spool.Metrics, payload, noon); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !reflect.DeepEqual(withoutNaN(used).Rows, withoutNaN(fresh).Rows) || !reflect.DeepEqual(used.Tally, fresh.Tally) {
			t.Errorf("batch %d:\n%+v\nwant\n%+v", n, used.Rows, fresh.Rows)
		}
		used.reset()
	}
}

// benchLike is a request of gauges with so many series.
func benchLike(t *testing.T, series int) []byte {
	req, metrics := newMetrics()
	m := metrics.AppendEmpty()
	m.SetName("plain")
	points := m.SetEmptyGauge().DataPoints()
	for i := range 3 * series {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(i) * time.Second)))
		p.SetDoubleValue(float64(i))
		p.Attributes().PutInt("n", int64(i%series))
	}
	return bytesOf(t, req)
}

// What a decoder keeps from one request to the next is bounded.
func TestInspectorsForget(t *testing.T) {
	req := pmetricotlp.NewExportRequest()
	metrics := req.Metrics().ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for i := range 2 * maxNames {
		m := metrics.AppendEmpty()
		m.SetName("m" + strings.Repeat("x", i%7) + number(float64(i)))
		m.SetEmptyGauge().DataPoints().AppendEmpty().Attributes().PutStr("_"+number(float64(i)), "v")
	}
	d := NewDecoder()
	if err := d.Add(spool.Metrics, bytesOf(t, req), noon); err != nil {
		t.Fatal(err)
	}
	d.reset()
	if n := len(d.names.labels) + len(d.names.metrics) + len(d.streams) + len(d.families) + cap(d.outline.items); n > 2*maxNames || !d.Rows.Empty() {
		t.Errorf("%d things are kept", n)
	}
}
