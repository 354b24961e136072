package ingest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc/metadata"

	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

var tight = Limits{MaxAge: time.Hour, MaxAhead: time.Minute}

// TestAbsurdTimesAreTakenOut has one item too old, one too far ahead and two at
// the very bounds, of every kind.
func TestAbsurdTimesAreTakenOut(t *testing.T) {
	times := []time.Time{noon.Add(-time.Hour), noon.Add(-time.Hour - 1), noon.Add(time.Minute), noon.Add(time.Minute + 1)}
	logs, records := newLogs()
	metrics, list := newMetrics()
	traces, spans := newTraces()
	gauge, sum, histogram, exponential, summary := list.AppendEmpty(), list.AppendEmpty(), list.AppendEmpty(), list.AppendEmpty(), list.AppendEmpty()
	gauge.SetEmptyGauge()
	sum.SetEmptySum().SetAggregationTemporality(2)
	histogram.SetEmptyHistogram().SetAggregationTemporality(2)
	exponential.SetEmptyExponentialHistogram().SetAggregationTemporality(2)
	summary.SetEmptySummary()
	for _, at := range times {
		stamp := pcommon.NewTimestampFromTime(at)
		records.AppendEmpty().SetTimestamp(stamp)
		spans.AppendEmpty().SetStartTimestamp(stamp)
		gauge.Gauge().DataPoints().AppendEmpty().SetTimestamp(stamp)
		sum.Sum().DataPoints().AppendEmpty().SetTimestamp(stamp)
		histogram.Histogram().DataPoints().AppendEmpty().SetTimestamp(stamp)
		exponential.ExponentialHistogram().DataPoints().AppendEmpty().SetTimestamp(stamp)
		summary.Summary().DataPoints().AppendEmpty().SetTimestamp(stamp)
	}
	for _, m := range list.All() {
		m.SetName("m")
	}
	for kind, c := range map[spool.Kind]struct {
		payload     []byte
		items, left int
	}{
		spool.Logs:    {bytesOf(t, logs), 4, 2},
		spool.Traces:  {bytesOf(t, traces), 4, 2},
		spool.Metrics: {bytesOf(t, metrics), 20, 10},
	} {
		a, err := admit(kind, c.payload, noon, tight, nil)
		if err != nil || !a.changed || a.empty || a.Items != c.items || a.Refused.ByReason[reasonTimestamp] != c.items-c.left || !strings.Contains(a.Refused.First, "its time is") {
			t.Errorf("%s: %+v, %v", kind, a.Tally, err)
		}
		rest := NewDecoder()
		if err := rest.Add(kind, a.body, noon); err != nil || rest.Items != c.left || rest.Refused.Count != 0 {
			t.Errorf("%s: spooled are %+v, %v", kind, rest.Tally, err)
		}
	}
}

func TestLabelsMayBeAboutLongAgo(t *testing.T) {
	old := &signal.Label{ID: "a", Value: "1", Time: noon.Add(-1000 * time.Hour)}
	req := labels(old)
	req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(pcommon.NewTimestampFromTime(old.Time))
	a, err := admit(spool.Logs, bytesOf(t, req), noon, tight, nil)
	if err != nil || a.changed || a.Labels != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestARequestOfWhichNothingIsLeftIsNotSpooled(t *testing.T) {
	s := serve(t, func(o *ServerOptions) { o.Limits = tight }, nil)
	req, records := newLogs()
	records.AppendEmpty().SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-48 * time.Hour)))
	resp, err := s.logsClient(t).Export(context.Background(), req)
	if err != nil || resp.PartialSuccess().RejectedLogRecords() != 1 {
		t.Fatalf("%+v, %v", resp.PartialSuccess(), err)
	}
	if n := s.metricValue(t, "evenkeel_ingest_refused", "reason", reasonTimestamp); n != 1 || len(s.spooled(t)) != 0 {
		t.Errorf("%v refused, or something spooled", n)
	}
}

// gauges is a request of one point for each name.
func gauges(instance string, names ...string) pmetricotlp.ExportRequest {
	req, metrics := newMetrics()
	req.Metrics().ResourceMetrics().At(0).Resource().Attributes().PutStr(signal.KeyInstanceID, instance)
	for _, name := range names {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(pcommon.NewTimestampFromTime(noon))
	}
	return req
}

func TestASourceHasABudgetOfSeries(t *testing.T) {
	limits := Limits{Series: SeriesBudgetOptions{PerSource: 2, Total: 3, Idle: time.Hour}}
	budget := newSeriesBudget(limits.Series)
	take := func(at time.Time, req pmetricotlp.ExportRequest) (refused int, series []string) {
		t.Helper()
		a, err := admit(spool.Metrics, bytesOf(t, req), at, limits, budget)
		if err != nil {
			t.Fatal(err)
		}
		d := NewDecoder()
		if err := d.Add(spool.Metrics, a.body, at); err != nil {
			t.Fatal(err)
		}
		series = text(&d.Rows)
		if more := len(series) - (a.Items - a.Refused.Count); more < 0 || more > 1 {
			t.Errorf("%q of %+v", series, a.Tally)
		}
		return a.Refused.ByReason[reasonBudget], series
	}
	for i, c := range []struct {
		at       time.Time
		instance string
		names    []string
		refused  int
		overflow string
	}{
		{noon, "a", []string{"x", "y"}, 0, ""},
		{noon, "a", []string{"x", "z", "y"}, 1, "evenkeel_ingest_overflow{} 1 counter"},
		{noon, "a", []string{"z", "z", "y"}, 2, "evenkeel_ingest_overflow{} 3 counter"},
		{noon, "b", []string{"x"}, 0, ""},
		{noon, "b", []string{"x", "y"}, 1, "evenkeel_ingest_overflow{} 1 counter"}, // all together are 3
		{noon, "c", []string{"x"}, 1, ""},                                          // nothing of it was ever taken
		{noon.Add(30 * time.Minute), "a", []string{"y"}, 0, ""},
		{noon.Add(61 * time.Minute), "a", []string{"z"}, 0, ""}, // x is forgotten, and so is b
		{noon.Add(61 * time.Minute), "a", []string{"x", "y"}, 1, "evenkeel_ingest_overflow{} 4 counter"},
	} {
		refused, series := take(c.at, gauges(c.instance, c.names...))
		if found := strings.Contains(strings.Join(series, "\n")+"\n", c.overflow+"\n"); refused != c.refused || c.overflow != "" && !found {
			t.Errorf("step %d: %d refused, want %d; series %q", i, refused, c.refused, series)
		}
	}
	if budget.total != 2 || len(budget.sources) != 1 {
		t.Errorf("%d series of %d sources are remembered", budget.total, len(budget.sources))
	}
}

func TestAStreamIsTheSameInWhateverOrderItsAttributesStand(t *testing.T) {
	one, two := pcommon.NewMap(), pcommon.NewMap()
	one.PutStr("a", "1")
	one.PutInt("b", 2)
	two.PutInt("b", 2)
	two.PutStr("a", "1")
	if streamKey("m", "s", one) != streamKey("m", "s", two) {
		t.Error("the order counts")
	}
	for name, other := range map[string]uint64{
		"metric": streamKey("n", "s", one), "scope": streamKey("m", "t", one), "without": streamKey("m", "s", pcommon.NewMap()),
	} {
		if other == streamKey("m", "s", one) {
			t.Errorf("%s does not count", name)
		}
	}
}

// TestARepetitionIsOneAlsoWhereItWasCut sends a request over budget ten times by
// name, and another ten times without: what is spooled of them differs, since
// the count of refused points grows.
func TestARepetitionIsOneAlsoWhereItWasCut(t *testing.T) {
	store := storetest.Open(t)
	clock := func() time.Time { return noon }
	s := serve(t, func(o *ServerOptions) { o.Limits.Series.PerSource, o.Now = 1, clock }, func(o *spool.Options) { o.Now = clock })
	stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	url := "http://" + s.HTTPAddr() + "/v1/metrics"
	for range 10 {
		for _, headers := range [][]string{{BatchHeader, "agent/1"}, nil} {
			raw := bytesOf(t, gauges(fmt.Sprint(len(headers)), "x", "y"))
			if r := post(t, url, typeProto, "", raw, headers...); r.status != 200 || !bytes.Contains(r.body, []byte("per_source")) {
				t.Fatalf("%d %q", r.status, r.body)
			}
		}
	}
	s.waitUntilStored(t)
	stop()
	var samples uint64
	if err := store.Conn().QueryRow(t.Context(), "SELECT count() FROM samples WHERE fingerprint IN (SELECT fingerprint FROM series WHERE name != 'target_info')").Scan(&samples); err != nil || samples != 4 {
		t.Errorf("%d samples of x and overflow of two sources, %v", samples, err)
	}
	if n := s.metricValue(t, "evenkeel_spool_duplicates"); n != 18 {
		t.Errorf("%v duplicates", n)
	}
}

// TestTheSameBatchTenTimes is told by its name, from an agent, and by its
// content, from a client that knows nothing of names.
func TestTheSameBatchTenTimes(t *testing.T) {
	store := storetest.Open(t)
	s := serve(t, nil, func(o *spool.Options) { o.BatchRecords = 3 })
	stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	client := s.logsClient(t)
	const requests = 20
	for range 10 {
		for i := range requests {
			ctx := context.Background()
			if i%2 == 0 {
				ctx = metadata.AppendToOutgoingContext(ctx, BatchHeader, fmt.Sprint("agent/", i))
			}
			if _, err := client.Export(ctx, oneLog(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		s.waitUntilStored(t) // so that some come again after they were stored
	}
	stop()
	expectCounted(t, store, requests)
	t.Logf("acknowledged %d, stored once %d, told as repeated %v", 10*requests, requests, s.metricValue(t, "evenkeel_spool_duplicates"))
}
