package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/agent"
	agentconfig "github.com/evenkeel/evenkeel/agent/config"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

// predictions decodes every prediction that was accepted, in order.
func predictions(t testing.TB, r *otlptest.Receiver) []*signal.Prediction {
	t.Helper()
	var out []*signal.Prediction
	for _, e := range r.Events(signal.EventPrediction) {
		p, err := signal.DecodePrediction(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		if e.Resource[signal.KeySystemID] != "loan-approval" {
			t.Errorf("a prediction of the system %v", e.Resource[signal.KeySystemID])
		}
		p.Time = e.Time
		out = append(out, p)
	}
	return out
}

func awaitPredictions(t testing.TB, r *otlptest.Receiver, n int) []*signal.Prediction {
	t.Helper()
	otlptest.Eventually(t, fmt.Sprintf("%d predictions", n), func() bool { return len(r.Events(signal.EventPrediction)) >= n })
	return predictions(t, r)
}

// scored is a model that says how sure it is: approved from 0.5 on.
func scored(inputs map[string][]any) []tensor {
	var decisions, scores []float64
	for _, v := range inputs["income"] {
		p := math.NaN()
		if x, ok := v.(float64); ok {
			p = x / 4
		}
		scores = append(scores, p)
		decisions = append(decisions, math.Round(p))
	}
	return []tensor{numbers("approved", decisions...), numbers("probability", scores...)}
}

// named posts a request with headers and gives the X-Request-Id that came back.
func named(t testing.TB, base, body string, header ...string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, base+"/v2/models/loans/infer", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return resp.Header.Get("X-Request-Id")
}

// sendPredictions makes the model's rows leave, with the gender of each.
func sendPredictions(c *agentconfig.Config) {
	c.Models[0].Predictions = agentconfig.Predictions{Send: true, Groups: []signal.FeatureName{"gender"}, LawfulBasis: "a law against discrimination"}
}

// Real HTTP at one end, OTLP at the other: each row is one event, under the id
// that the client knows, with what the model said about it and nothing more.
func TestPredictionsSayWhatWasAnsweredUnderTheClientsID(t *testing.T) {
	server := startModelServer(t, scored)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models[0].Baseline = writeBaseline(t, scoredBaseline())
	c.Models[0].Outcome = agentconfig.Outcome{} // the baseline's
	sendPredictions(c)
	a := startAgent(t, c, nil)
	const row = `"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[3.5,1]},` +
		`{"name":"gender","shape":[2],"datatype":"BYTES","data":["female",null]}]`
	base, trace := "http://"+a.Addr(), "4bf92f3577b34da6a3ce929d0e0e4736"
	made := named(t, base, `{`+row+`}`)
	for want, got := range map[string]string{
		made:     named(t, base, `{"id":"body",`+row+`}`, "X-Request-Id", made, "Traceparent", "00-"+trace+"-00f067aa0ba902b7-01"),
		"header": named(t, base, `{`+row+`}`, "X-Request-Id", "header"),
		"event":  named(t, base, `{`+row+`}`, "Ce-Id", "event"),
	} {
		if got != want {
			t.Errorf("the client gets the name %q, want %q", got, want)
		}
	}
	if uuid.Validate(made) != nil {
		t.Errorf("a request without a name gets %q", made)
	}
	got := awaitPredictions(t, receiver, 8)
	digest, _ := scoredBaseline().Digest()
	seen := map[string]int{}
	for _, p := range got {
		want, group := "1 0.875", "female"
		if p.Row == 1 {
			want, group = "0 0.25", signal.GroupUnknown
		}
		if text := fmt.Sprint(p.Value, " ", p.Score); text != want || len(p.Groups) != 1 || p.Groups[0] != (signal.Membership{Attribute: "gender", Group: group}) {
			t.Errorf("row %d of %s: %s, %v", p.Row, p.ID, text, p.Groups)
		}
		if p.Model != (signal.ModelRef{Name: "loans", Version: "1"}) || p.Baseline != digest || p.Basis == "" || p.Rate != 1 || time.Since(p.Time).Abs() > time.Hour ||
			(p.TraceID == trace) != (p.ID == "body") {
			t.Errorf("%+v", p)
		}
		if p.Run != runs(t, receiver)["1"] {
			t.Errorf("of the run %q, declared is %v", p.Run, runs(t, receiver))
		}
		seen[signal.RowID(p.ID, p.Row)]++
	}
	for _, id := range []string{made, "body", "header", "event"} {
		if seen[signal.RowID(id, 0)] != 1 || seen[signal.RowID(id, 1)] != 1 {
			t.Errorf("rows %v, want both of %s once", seen, id)
		}
	}
}

// runs gives the declared lineage runs by version.
func runs(t testing.TB, r *otlptest.Receiver) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, e := range r.Events(signal.EventLineageRun) {
		run, err := signal.ParseRunEvent([]byte(e.Body))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Attributes[signal.KeyModelVersion].(string)] = run.Run.RunID
	}
	return out
}

// scoredBaseline is that of a model with a score, and says what its output means.
func scoredBaseline() *signal.Baseline {
	b := loanBaseline()
	b.Features = append(b.Features, signal.FeatureBaseline{
		Name: "probability", Target: signal.TargetPrediction, Kind: signal.Numeric, Grid: []float64{0.25, 0.5, 0.75}, Deciles: []int{0, 1, 2},
		Counts: []uint64{25, 25, 25, 25}, N: 100, Sum: 50, SumSquares: 33, Min: 0, Max: 1,
	})
	b.Outcome = &signal.OutcomeBaseline{Output: "approved", Favourable: &signal.Favourable{Values: []string{"1"}}, Score: "probability"}
	return b
}

// A regression has no favourable side, and its rows leave all the same; a model
// that is not told to leaves nothing.
func TestPredictionsOfARegression(t *testing.T) {
	server := startModelServer(t, func(inputs map[string][]any) []tensor {
		price := numbers("price", 0.1, 1e6)
		price.Shape, price.Data = []int{3}, append(price.Data, nil)
		return []tensor{price, numbers("other", 1, 2, 3)}
	})
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models = []agentconfig.Model{
		{Name: "prices", Outcome: agentconfig.Outcome{Output: "price"}, Predictions: agentconfig.Predictions{Send: true}},
		{Name: "loans", Outcome: agentconfig.Outcome{Output: "price"}},
	}
	a := startAgent(t, c, nil)
	for _, model := range []string{"loans", "prices"} {
		if status, body := infer(t, "http://"+a.Addr(), model, encode(t, numbers("x", 1, 2, 3))); status != http.StatusOK {
			t.Fatal(status, string(body))
		}
	}
	stopAgent(t, a)
	var got []string
	for _, p := range predictions(t, receiver) {
		got = append(got, fmt.Sprint(p.Model.Name, " ", p.Row, " ", p.Value, " ", p.Score, " ", p.Baseline))
	}
	if want := "prices 0 0.1 NaN , prices 1 1000000 NaN , prices 2  NaN "; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// Sampled by id: both replicas profile the same requests, the account adds up,
// and what leaves says at which rate it was chosen.
func TestSamplingIsTheSameOnEveryReplicaAndAccountedFor(t *testing.T) {
	const requests, rate = 200, 0.25
	server := startModelServer(t, approve)
	var chosen [2][]string
	for replica := range chosen {
		receiver := otlptest.Start(t, nil)
		c := loanConfig(t, server.URL, receiver.URL())
		c.Models[0].Sample.Rate = new(rate)
		c.Window.Count = 0
		sendPredictions(c)
		a := startAgent(t, c, nil)
		for i := range requests {
			named(t, "http://"+a.Addr(), string(loanRequest(t, i)), "X-Request-Id", fmt.Sprint("r-", i))
		}
		infer(t, "http://"+a.Addr(), "loans", []byte(`{"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[1]}]}`)) // the shape lies
		stopAgent(t, a)
		all := profiles(t, receiver)
		var account signal.Capture
		rows := uint64(0)
		for _, d := range incomes(all) {
			account.Add(d.Capture)
			rows += d.N
			if d.Rate != rate {
				t.Errorf("a window at the rate %v", d.Rate)
			}
		}
		for _, p := range predictions(t, receiver) {
			if p.Row == 0 {
				chosen[replica] = append(chosen[replica], p.ID)
			}
			if p.Rate != rate {
				t.Errorf("a prediction at the rate %v", p.Rate)
			}
		}
		if account.Seen != requests+1 || account.Undecodable != 1 || account.Seen != account.Profiled+account.SampledOut+account.Dropped+account.Undecodable {
			t.Errorf("account %+v", account)
		}
		if n := uint64(len(chosen[replica])); account.Profiled != n || rows != 10*n || n < requests/8 || n > requests/2 {
			t.Errorf("%d requests are profiled with %d rows, predictions of %d", account.Profiled, rows, n)
		}
	}
	if !slices.Equal(chosen[0], chosen[1]) {
		t.Errorf("the replicas chose differently: %v\n%v", chosen[0], chosen[1])
	}
}

// Without an id requests are chosen at random: their number is within five
// deviations of what the rate says.
func TestNamelessRequestsAreSampledAtTheRate(t *testing.T) {
	const requests, rate = 200, 0.25
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Models[0].Sample.Rate = new(rate)
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, requests)
	stopAgent(t, a)
	var sum signal.Capture
	for _, d := range incomes(profiles(t, receiver)) {
		sum.Add(d.Capture)
	}
	off := math.Abs(float64(sum.Profiled) - rate*requests)
	if sum.Seen != requests || sum.Profiled+sum.SampledOut != requests || sum.Unread > 0 || off > 5*math.Sqrt(requests*rate*(1-rate)) {
		t.Errorf("account %+v", sum)
	}
}

// The rows of a small group come with a later window, also over a restart.
func TestSmallGroupsAreHeldBackAndCarried(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	c.Window.Count, c.Window.MinCell = 10, 5
	total := func() (held uint64, rows map[string]uint64) {
		rows = map[string]uint64{}
		for _, d := range of(profiles(t, receiver), signal.TargetGroup, "gender") {
			held = d.Held
			for _, g := range d.Groups {
				rows[g.Group] += g.Total
				if g.Total < 5 {
					t.Errorf("a group of %d rows is told", g.Total)
				}
			}
		}
		return held, rows
	}
	for i, want := range []struct{ held, female, male uint64 }{{3, 0, 7}, {0, 6, 14}} { // three women in ten
		a := startAgent(t, c, nil)
		serveLoans(t, a, server, i, i+1)
		otlptest.Eventually(t, "the rows in a window", func() bool {
			var n uint64
			for _, d := range incomes(profiles(t, receiver)) {
				n += d.N
			}
			return n == uint64(10*(i+1))
		})
		held, rows := total()
		if held != want.held || rows["female"] != want.female || rows["male"] != want.male {
			t.Errorf("after %d windows %d held, %v told; want %+v", i+1, held, rows, want)
		}
		otlptest.Eventually(t, fmt.Sprintf("/metrics shows %d rows held", want.held), func() bool {
			shown, ok := byLabel(t, a.AdminAddr(), "evenkeel_fairness_held", "evenkeel_protected_attribute")["gender"]
			return ok && shown == float64(want.held)
		})
		stopAgent(t, a)
	}
}

// Every fault of what must agree with the baseline has its path.
func TestOutcomeMustAgreeWithTheBaselines(t *testing.T) {
	half := 0.5
	for want, change := range map[string]func(m *agentconfig.Model){
		"":                              func(m *agentconfig.Model) { m.Outcome = agentconfig.Outcome{} },
		"models[0].outcome.output":      func(m *agentconfig.Model) { m.Outcome.Output = "probability" },
		"models[0].outcome.favourable":  func(m *agentconfig.Model) { m.Outcome.Favourable.Values = []string{"0"} },
		"models[0].outcome.favourable ": func(m *agentconfig.Model) { m.Outcome.Favourable = agentconfig.Favourable{AtLeast: &half} },
		"models[0].outcome.score":       func(m *agentconfig.Model) { m.Outcome.Score = "approved" },
		"models[0].predictions.groups[1]": func(m *agentconfig.Model) {
			m.Predictions = agentconfig.Predictions{Groups: []signal.FeatureName{"gender", "height"}, LawfulBasis: "a law"}
		},
	} {
		c := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
		c.Models[0].Baseline = writeBaseline(t, scoredBaseline())
		c.Models[0].Outcome.Favourable.Values = []string{"1.0"} // the same value
		change(&c.Models[0])
		err := agent.Check(c)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), "agent.yaml: "+strings.TrimSpace(want)+": ") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("want one fault at %q, got %v", want, err)
		}
	}
}

// Groups of a baseline without an outcome still need one in the configuration.
func TestGroupsNeedAnOutcomeFromSomewhere(t *testing.T) {
	c := loanConfig(t, "http://127.0.0.1:1", "http://127.0.0.1:1")
	c.Models[0].Outcome = agentconfig.Outcome{}
	if err := agent.Check(c); err == nil || !strings.Contains(err.Error(), "models[0].outcome.output: missing") {
		t.Errorf("without an output: %v", err)
	}
	c.Models[0].Outcome.Output = "approved"
	if err := agent.Check(c); err == nil || !strings.Contains(err.Error(), "models[0].outcome.favourable: missing") {
		t.Errorf("without a favourable side: %v", err)
	}
}

// Predictions are on their way within about a second of the answer.
func TestPredictionsAreSentSoon(t *testing.T) {
	server := startModelServer(t, approve)
	arrived := make(chan time.Time, 1)
	receiver := otlptest.Start(t, func(r otlptest.Request) otlptest.Answer {
		if r.Path == "/v1/logs" && r.Logs.LogRecordCount() == 10 {
			select {
			case arrived <- time.Now():
			default:
			}
		}
		return otlptest.Answer{}
	})
	c := loanConfig(t, server.URL, receiver.URL())
	sendPredictions(c)
	a := startAgent(t, c, nil)
	start := time.Now()
	if status, _ := infer(t, "http://"+a.Addr(), "loans", loanRequest(t, 0)); status != http.StatusOK {
		t.Fatal(status)
	}
	if took := (<-arrived).Sub(start); took > 5*time.Second { // half a second where nothing else runs
		t.Errorf("it took %s", took)
	}
}

// Naming requests changes no byte of a body, and no answer's header but one.
func TestNamingChangesNothingElse(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	sendPredictions(c)
	a := startAgent(t, c, nil)
	post := func(base string) (http.Header, []byte) {
		resp, err := client.Post(base+"/v2/models/loans/infer", "application/json", bytes.NewReader(loanRequest(t, 1)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		resp.Header.Del("Date")
		return resp.Header, body
	}
	wantHeader, want := post(server.URL)
	header, got := post("http://" + a.Addr())
	if header.Get("X-Request-Id") == "" || !bytes.Equal(got, want) {
		t.Errorf("%v %s\nthe model server says %v %s", header, got, wantHeader, want)
	}
	header.Del("X-Request-Id")
	if fmt.Sprint(header) != fmt.Sprint(wantHeader) {
		t.Errorf("headers %v, the model server's are %v", header, wantHeader)
	}
}
