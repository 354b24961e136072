package clickhouse_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/signal"
)

// realistic makes rows as a day of two replicas and their services makes them;
// the same ones each time.
type realistic struct{ *rand.Rand }

func newRealistic() realistic { return realistic{rand.New(rand.NewPCG(1, 2))} }

func (r realistic) hex(bytes int) string {
	out := ""
	for range bytes {
		out += fmt.Sprintf("%02x", r.IntN(256))
	}
	return out
}

func (r realistic) uuid() string {
	return r.hex(4) + "-" + r.hex(2) + "-4" + r.hex(2)[1:] + "-a" + r.hex(2)[1:] + "-" + r.hex(6)
}

// samples gives minutes of a thousand series at 15 seconds: drift scores that
// wander, counters, histogram buckets and values that hardly change.
func (r realistic) samples(from time.Time, minutes int, state []float64) *model.Rows {
	rows := &model.Rows{}
	for i := range state {
		s := series(fmt.Sprint("evenkeel_metric_", i%20), "evenkeel_system_id", "loans", "service_instance_id", fmt.Sprint("agent-", i%2),
			"evenkeel_feature_name", fmt.Sprint("feature-", i/40), "evenkeel_model_name", "loan", "kind", fmt.Sprint(i%4), "n", fmt.Sprint(i))
		rows.Series = append(rows.Series, s)
		for at := range minutes * 4 {
			switch i % 4 {
			case 0: // a score
				state[i] = math.Abs(state[i] + r.NormFloat64()*0.01)
			case 1, 2: // counts
				state[i] += float64(r.IntN(50))
			default: // a setting
				if r.IntN(500) == 0 {
					state[i]++
				}
			}
			jitter := time.Duration(r.IntN(20)) * time.Millisecond
			rows.Samples = append(rows.Samples, model.Sample{Fingerprint: s.Fingerprint, Time: from.Add(time.Duration(at)*15*time.Second + jitter), Value: state[i]})
		}
	}
	return rows
}

var resource = map[string]string{
	"service.name": "loan-approval", "service.namespace": "credit", "service.instance.id": "9f1c2b7e-77aa-4a0e-9df0-0d1f4f1d7a01", "service.version": "3.2.1",
	"deployment.environment.name": "production", "k8s.pod.name": "loan-approval-5d9c7b6f4-x2x9p", "telemetry.sdk.language": "python", "telemetry.sdk.version": "1.38.0",
}

// logs gives access logs and now and then an error.
func (r realistic) logs(from time.Time, n int) *model.Rows {
	rows := &model.Rows{}
	for i := range n {
		at := from.Add(time.Duration(i)*20*time.Millisecond + time.Duration(r.IntN(20_000_000)))
		l := model.Log{
			Time: at, ObservedTime: at.Add(time.Duration(r.IntN(3_000_000))), TraceID: r.hex(16), SpanID: r.hex(8), TraceFlags: 1, SeverityText: "INFO", SeverityNumber: 9,
			ServiceName: "loan-approval", ScopeName: "uvicorn.access", ResourceAttributes: resource, ScopeAttributes: map[string]string{},
			Body: fmt.Sprintf(`10.0.%d.%d - "POST /v2/models/loan/infer HTTP/1.1" 200 in %.3f ms`, r.IntN(8), r.IntN(256), r.ExpFloat64()*12),
			LogAttributes: map[string]string{
				"http.request.method": "POST", "http.route": "/v2/models/{model}/infer", "http.response.status_code": "200", "code.function": "infer",
				"client.address": fmt.Sprintf("10.0.%d.%d", r.IntN(8), r.IntN(256)), "enduser.id": r.hex(6),
			},
		}
		if r.IntN(50) == 0 {
			l.SeverityText, l.SeverityNumber, l.Body = "ERROR", 17, "upstream timed out after "+fmt.Sprint(r.IntN(5000))+" ms while reading features of customer "+r.uuid()
		}
		rows.Logs = append(rows.Logs, l)
	}
	return rows
}

// spans gives traces of four spans each.
func (r realistic) spans(from time.Time, traces int) *model.Rows {
	rows := &model.Rows{}
	for i := range traces {
		id, parent := r.hex(16), ""
		at := from.Add(time.Duration(i)*40*time.Millisecond + time.Duration(r.IntN(40_000_000)))
		length := time.Duration(r.ExpFloat64() * 2e7)
		for depth, name := range []string{"POST /v2/models/{model}/infer", "features.read", "inference", "audit.write"} {
			s := model.Span{
				Time: at, Duration: length, TraceID: id, SpanID: r.hex(8), ParentSpanID: parent, Name: name, Kind: []string{"Server", "Client", "Internal", "Client"}[depth],
				ServiceName: "loan-approval", ScopeName: "opentelemetry.instrumentation.fastapi", ScopeVersion: "0.59b0", StatusCode: "Unset", ResourceAttributes: resource,
				SpanAttributes: map[string]string{
					"http.request.method": "POST", "http.response.status_code": "200", "server.address": "loans.credit.svc", "thread.id": fmt.Sprint(r.IntN(16)),
					"evenkeel.model.name": "loan", "evenkeel.model.version": "3",
				},
			}
			if depth == 2 && r.IntN(10) == 0 {
				s.Events = []model.SpanEvent{{Time: at, Name: "queued", Attributes: map[string]string{"depth": fmt.Sprint(r.IntN(9))}}}
			}
			rows.Spans = append(rows.Spans, s)
			parent, at, length = s.SpanID, at.Add(length/10), length/2
		}
	}
	return rows
}

// predictions gives predictions and, for most of them, labels.
func (r realistic) predictions(from time.Time, n int) *model.Rows {
	rows := &model.Rows{}
	for i := range n {
		at := from.Add(time.Duration(i)*50*time.Millisecond + time.Duration(r.IntN(50_000_000)))
		p := prediction(r.uuid(), 0, at)
		p.Instance = signal.InstanceID(fmt.Sprint("agent-", i%2))
		p.Score = 1 / (1 + math.Exp(-r.NormFloat64()))
		p.Value = map[bool]string{true: "approved", false: "denied"}[p.Score > 0.5]
		p.TraceID, p.Run = r.hex(16), "01890a5d-ac96-774b-bcce-b302099a8057"
		p.Baseline = "sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
		p.Groups = []signal.Membership{{Attribute: "gender", Group: []string{"female", "male"}[r.IntN(2)]}}
		rows.Predictions = append(rows.Predictions, p)
		if r.IntN(10) > 0 {
			rows.Labels = append(rows.Labels, signal.Label{
				System: "loans", ID: p.ID, Value: []string{"approved", "denied"}[r.IntN(2)], Source: "servicing",
				Time: at.Add(time.Duration(r.IntN(3600)) * time.Second), Received: from.Add(2 * time.Hour),
			})
		}
	}
	return rows
}

// judged gives windows of a minute with fifty features of forty cells each, the
// fleet's windows, verdicts and drift processes over them.
func (r realistic) judged(from time.Time, sequence uint64) *model.Rows {
	rows := &model.Rows{}
	end := from.Add(time.Minute)
	value := 0.0
	for f := range 50 {
		for replica := range 2 {
			d := distribution(sequence, end)
			d.Window.Instance, d.Feature, d.Groups, d.Embedded, d.Distinct, d.Estimated = signal.InstanceID(fmt.Sprint("agent-", replica)), signal.FeatureName(fmt.Sprint("feature-", f)), nil, nil, nil, nil
			d.Start, d.Parts, d.Counts = from, 50, nil
			var n uint64
			for range 40 {
				d.Counts = append(d.Counts, uint64(max(0, 30+10*r.NormFloat64())))
				n += d.Counts[len(d.Counts)-1]
			}
			d.Missing, d.Other, d.New, d.Invalid, d.OutOfRange, d.Held, d.N = uint64(r.IntN(5)), 0, 0, 0, 0, 0, n
			d.Sum, d.SumSquares, d.Min, d.Max = float64(n)*r.NormFloat64(), float64(n)*r.ExpFloat64(), r.NormFloat64()-3, r.NormFloat64()+3
			d.Capture = signal.Capture{Seen: n, Profiled: n}
			rows.Distributions = append(rows.Distributions, d)
		}
		value = math.Abs(r.NormFloat64() * 0.05)
		v := value
		rows.Evaluations = append(rows.Evaluations, model.Evaluation{
			ID: r.uuid(), Rule: "DRF-01", RuleVersion: 1, RuleDigest: "sha256:5891b5b5", QueryDigest: "sha256:aa17c3d2", System: "loans",
			Subject: map[string]string{"evenkeel_system_id": "loans", "evenkeel_model_name": "loan", "evenkeel_model_version": "3", "evenkeel_feature_name": fmt.Sprint("feature-", f)},
			Verdict: signal.Pass, Value: &v, Samples: 2400, FailLimit: "> 0.25", WarnLimit: "> 0.1", WindowStart: from, WindowEnd: end,
			WindowIDs: []string{fmt.Sprint("agent-0/", sequence), fmt.Sprint("agent-1/", sequence)}, Reason: fmt.Sprintf("evenkeel_drift_score is %.4f, within > 0.25", v),
			State: model.StateOK, Streak: int(sequence), EvaluatedAt: end.Add(time.Duration(5e9 + r.IntN(1e9))),
		})
		rows.DriftProcesses = append(rows.DriftProcesses, model.DriftProcess{
			System: "loans", Model: signal.ModelRef{Name: "loan", Version: "3"}, Length: time.Minute, Baseline: "sha256:b1", Target: signal.TargetFeature,
			Feature: signal.FeatureName(fmt.Sprint("feature-", f)), WindowEnd: end,
		})
		process := &rows.DriftProcesses[len(rows.DriftProcesses)-1].Evidence
		process.Windows, process.Rows, process.LogStarted = sequence, sequence*2400, r.NormFloat64()
		for range 10 {
			process.Earlier = append(process.Earlier, 240*r.Float64())
		}
	}
	rows.FleetWindows = append(rows.FleetWindows, model.FleetWindow{
		System: "loans", Model: signal.ModelRef{Name: "loan", Version: "3"}, Length: time.Minute, Start: from, End: end, Rows: 2400,
		WindowIDs: []string{fmt.Sprint("agent-0/", sequence), fmt.Sprint("agent-1/", sequence)}, Instances: []string{"agent-0", "agent-1"}, SealedAt: end.Add(5 * time.Second),
	})
	return rows
}
