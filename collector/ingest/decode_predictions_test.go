package ingest

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/spool"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// prediction is one as an agent sends it.
func prediction(id string, row uint32) *signal.Prediction {
	return &signal.Prediction{
		System: "loan-approval", Model: signal.ModelRef{Name: "loans", Version: "3"}, Instance: "agent-1",
		ID: id, Row: row, Time: noon.Add(-time.Minute), Value: "approved", Score: 0.75,
		Groups: []signal.Membership{{Attribute: "gender", Group: "female"}}, Basis: "consent", Rate: 0.5,
		TraceID: "0af7651916cd43dd8448eb211c80319c", Baseline: "sha256:b1", Run: "run-1",
	}
}

// predictions is a request of them.
func predictions(of ...*signal.Prediction) plogotlp.ExportRequest {
	req, records := newLogs()
	for _, p := range of {
		lr := records.AppendEmpty()
		lr.SetEventName(signal.EventPrediction)
		put(lr, signal.EncodePrediction(p))
	}
	return req
}

// labels is a request of them, without the log records' own time.
func labels(of ...*signal.Label) plogotlp.ExportRequest {
	req, records := newLogs()
	for _, l := range of {
		lr := records.AppendEmpty()
		lr.SetEventName(signal.EventLabel)
		put(lr, signal.EncodeLabel(l))
	}
	return req
}

func TestPredictionsBecomeRowsAndNoLogs(t *testing.T) {
	full, bare := prediction("a", 7), &signal.Prediction{
		System: "loan-approval", Model: signal.ModelRef{Name: "loans"}, ID: "b", Score: math.NaN(), Rate: 1,
	}
	req := predictions(full, bare)
	records := req.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(1).SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(-time.Second)))
	records.AppendEmpty().Body().SetStr("a log")
	d := decode(t, spool.Logs, bytesOf(t, req))
	if len(d.Rows.Predictions) != 2 || len(d.Rows.Logs) != 1 || d.Items != 3 || d.Predictions != 2 {
		t.Fatalf("%+v, %d logs", d.Tally, len(d.Rows.Logs))
	}
	if got := &d.Rows.Predictions[0]; !reflect.DeepEqual(got, full) {
		t.Errorf("got %+v, want %+v", got, full)
	}
	got := &d.Rows.Predictions[1]
	bare.Instance, bare.Time = "agent-1", noon.Add(-time.Second) // of the resource and of the record
	if !math.IsNaN(got.Score) {
		t.Errorf("no score came in as %v", got.Score)
	}
	got.Score, bare.Score = 0, 0
	if !reflect.DeepEqual(got, bare) {
		t.Errorf("got %+v, want %+v", got, bare)
	}
}

func TestLabelsBecomeRowsAndNoLogs(t *testing.T) {
	known, now := &signal.Label{ID: "a", Row: 7, Value: "approved", Time: noon.Add(-time.Hour), Source: "desk"}, &signal.Label{ID: "b", Value: "1"}
	d := decode(t, spool.Logs, bytesOf(t, labels(known, now)))
	for _, l := range []*signal.Label{known, now} {
		l.System, l.Received = "loan-approval", noon
	}
	now.Time = noon
	if want := []signal.Label{*known, *now}; !reflect.DeepEqual(d.Rows.Labels, want) || len(d.Rows.Logs) != 0 || d.Labels != 2 {
		t.Errorf("%+v, %d logs; got %+v, want %+v", d.Tally, len(d.Rows.Logs), d.Rows.Labels, want)
	}
}

// TestWhatNoPredictionOrLabelCanSayIsRefused changes one thing of a good one.
func TestWhatNoPredictionOrLabelCanSayIsRefused(t *testing.T) {
	predicted := func(change func(*signal.Prediction)) plogotlp.ExportRequest {
		p := prediction("a", 0)
		change(p)
		return predictions(p)
	}
	labelled := func(change func(*signal.Label)) plogotlp.ExportRequest {
		l := &signal.Label{ID: "a", Value: "1"}
		change(l)
		return labels(l)
	}
	nameless := func(req plogotlp.ExportRequest) plogotlp.ExportRequest {
		req.Logs().ResourceLogs().At(0).Resource().Attributes().Remove(signal.KeySystemID)
		return req
	}
	for name, c := range map[string]struct {
		request plogotlp.ExportRequest
		reason  string
		says    string // empty: it is taken
	}{
		"a good prediction":       {predicted(func(*signal.Prediction) {}), reasonPrediction, ""},
		"as old as can be":        {predicted(func(p *signal.Prediction) { p.Time = noon.Add(-oldestPrediction) }), reasonPrediction, ""},
		"too old":                 {predicted(func(p *signal.Prediction) { p.Time = noon.Add(-oldestPrediction - 1) }), reasonPrediction, "received at 2026-03-14T12:00:00Z"},
		"by a clock ahead":        {predicted(func(p *signal.Prediction) { p.Time = noon.Add(model.ClockSlack) }), reasonPrediction, ""},
		"of the future":           {predicted(func(p *signal.Prediction) { p.Time = noon.Add(model.ClockSlack + 1) }), reasonPrediction, "made at 2026-03-15T12:00:00Z"},
		"without an id":           {predicted(func(p *signal.Prediction) { p.ID = "" }), reasonPrediction, "evenkeel.prediction.id: empty"},
		"groups without a basis":  {predicted(func(p *signal.Prediction) { p.Basis = "" }), reasonPrediction, "lawful_basis"},
		"a prediction of nobody":  {nameless(predicted(func(*signal.Prediction) {})), reasonPrediction, signal.KeySystemID},
		"a good label":            {labelled(func(*signal.Label) {}), reasonLabel, ""},
		"an old label":            {labelled(func(l *signal.Label) { l.Time = time.Unix(1, 0) }), reasonLabel, ""},
		"a label of the future":   {labelled(func(l *signal.Label) { l.Time = noon.Add(model.ClockSlack + 1) }), reasonLabel, "known at"},
		"a label without a value": {labelled(func(l *signal.Label) { l.Value = "" }), reasonLabel, "evenkeel.label.value"},
		"a label of nobody":       {nameless(labelled(func(*signal.Label) {})), reasonLabel, signal.KeySystemID},
	} {
		t.Run(name, func(t *testing.T) {
			d := decode(t, spool.Logs, bytesOf(t, c.request))
			taken := len(d.Rows.Predictions) + len(d.Rows.Labels)
			if c.says == "" {
				if taken != 1 || d.Refused.Count != 0 {
					t.Errorf("%d rows, %+v", taken, d.Tally)
				}
				return
			}
			if taken != 0 || len(d.Rows.Logs) != 0 || d.Refused.ByReason[c.reason] != 1 || !strings.Contains(d.Refused.First, c.says) {
				t.Errorf("%d rows, %d logs, %+v", taken, len(d.Rows.Logs), d.Tally)
			}
		})
	}
}

// TestALabelTakenFromTheAPIMeetsItsPrediction goes the whole way: a prediction
// over OTLP, its label through TakeLabels, both through the spool into the real
// store, twice.
func TestALabelTakenFromTheAPIMeetsItsPrediction(t *testing.T) {
	clock := func() time.Time { return noon }
	store := storetest.Open(t)
	s := serve(t, func(o *ServerOptions) { o.Now = clock }, func(o *spool.Options) { o.Now = clock })
	stop := run(t, NewDrain(drainOptions(), s.spool, store, s.health).Run)
	if _, err := s.logsClient(t).Export(t.Context(), predictions(prediction("a", 0), prediction("a", 1))); err != nil {
		t.Fatal(err)
	}
	taken := []signal.Label{
		{System: "loan-approval", ID: "a", Row: 1, Value: "refused", Source: "desk"},
		{System: "other", ID: "a", Row: 1, Value: "foreign"},
	}
	for range 2 {
		if err := s.TakeLabels(t.Context(), taken, "desk/1"); err != nil {
			t.Fatal(err)
		}
	}
	s.waitUntilStored(t)
	stop()
	var got []string
	err := store.LabelledPredictions(t.Context(), "loan-approval", prediction("", 0).Model, noon.Add(-time.Hour), noon, noon,
		func(p *signal.LabelledPrediction) error {
			text := signal.RowID(p.ID, p.Row)
			if p.Label != nil {
				text += " " + p.Label.Value + " " + p.Label.Time.Format(time.RFC3339) + " " + p.Label.Received.Format(time.RFC3339)
			}
			got = append(got, text)
			return nil
		})
	if want := []string{"a#0", "a#1 refused 2026-03-14T12:00:00Z 2026-03-14T12:00:00Z"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	var stored uint64
	if err := store.Conn().QueryRow(t.Context(), "SELECT count() FROM labels").Scan(&stored); err != nil || stored != 2 {
		t.Errorf("%d labels stored of 2 that were sent twice under one name, %v", stored, err)
	}
	for name, want := range map[string]float64{"evenkeel_ingest_labels": 2, "evenkeel_ingest_predictions": 2} {
		if n := s.metricValue(t, name); n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
	if n := s.metricValue(t, "evenkeel_ingest_requests", "transport", "api", "outcome", "accepted"); n != 2 {
		t.Errorf("%v requests of the API", n)
	}
}
