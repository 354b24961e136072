package agent_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent"
	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/signal"
)

var rateShown = regexp.MustCompile(`evenkeel_sample_rate\{[^}]*\} (\S+)`)

// shownRate is the rate that /metrics shows.
func shownRate(t testing.TB, a *agent.Agent) float64 {
	t.Helper()
	_, page := get(t, a, "/metrics")
	m := rateShown.FindStringSubmatch(page)
	if m == nil {
		t.Fatal("no rate is shown")
	}
	rate, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return rate
}

// wide is a request whose reading takes longer than the test's ceiling allows.
func wide(t testing.TB) string {
	incomes, genders := make([]float64, 2000), make([]string, 2000)
	for i := range incomes {
		incomes[i], genders[i] = float64(i%40)/10+0.05, "male"
	}
	return string(encode(t, numbers("income", incomes...), texts("gender", genders...)))
}

// Where profiling takes more CPU than it may, less of the traffic is profiled: by
// the id, at rates that windows and predictions carry, with an account that adds
// up and tells it from what was declared.
func TestCeilingSamplesByIDAndTellsSo(t *testing.T) {
	const declared = 0.75
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	sendPredictions(c)
	c.Window.Count = 0
	c.Models[0].Sample.Rate = new(declared)
	c.Sample.MaxCPU = 0.002 // two milliseconds a second
	a := startAgent(t, c, nil)
	body, sent := wide(t), 0
	send := func() {
		named(t, "http://"+a.Addr(), body, "X-Request-Id", fmt.Sprint("request-", sent))
		sent++
	}
	otlptest.Eventually(t, "a rate below the declared one", func() bool {
		send()
		return shownRate(t, a) < declared
	})
	for range 200 {
		send()
	}
	if _, page := get(t, a, "/"); !strings.Contains(page, "ceiling of 0.002 cores") {
		t.Errorf("the status page does not tell the ceiling:\n%s", page)
	}
	stopAgent(t, a)

	var account signal.Capture
	profiledAt, toldAt := map[float64]uint64{}, map[float64]uint64{}
	for _, d := range incomes(profiles(t, receiver)) {
		account.Add(d.Capture)
		profiledAt[d.Rate] += d.N
		if fraction, _ := math.Frexp(d.Rate / declared); d.N > 0 && fraction != 0.5 {
			t.Errorf("a window at the rate %v", d.Rate)
		}
	}
	for _, p := range predictions(t, receiver) {
		toldAt[p.Rate]++
		if fraction(p.ID) >= p.Rate {
			t.Errorf("%s is told at the rate %v, and lies at %v", p.ID, p.Rate, fraction(p.ID))
		}
	}
	sum := account.Profiled + account.SampledOut + account.Dropped + account.Undecodable
	if account.Seen != uint64(sent) || sum != account.Seen || account.OverCeiling == 0 || account.OverCeiling >= account.SampledOut || account.Unread == 0 {
		t.Errorf("of %d requests the account is %+v", sent, account)
	}
	countsLike(t, receiver, account)
	if len(profiledAt) < 2 {
		t.Errorf("windows at the rates %v", profiledAt)
	}
	for rate, rows := range profiledAt {
		if rows > 0 && toldAt[rate] != rows {
			t.Errorf("at the rate %v %d rows are counted and %d told", rate, rows, toldAt[rate])
		}
	}
}

// countsLike checks that the metrics tell the ceiling's part from the declared one.
func countsLike(t *testing.T, receiver *otlptest.Receiver, account signal.Capture) {
	t.Helper()
	counted := map[string]float64{}
	for _, p := range receiver.Points(signal.MetricObservationCount) {
		why, _ := p.Attributes[signal.KeyReason].(string)
		counted[p.Attributes[signal.KeyCapture].(string)+why] += p.Value
	}
	if got := counted["sampled_outceiling"]; got != float64(account.OverCeiling) || got+counted["sampled_out"] != float64(account.SampledOut) {
		t.Errorf("the metrics say %v, the account %+v", counted, account)
	}
}

// Predictions have a rate of their own, above that of the profile or below it.
func TestPredictionsAreSentAtTheirOwnRate(t *testing.T) {
	const requests = 60
	for _, rates := range []struct{ profile, predictions float64 }{{0.25, 1}, {1, 0.25}} {
		server := startModelServer(t, approve)
		receiver := otlptest.Start(t, nil)
		c := loanConfig(t, server.URL, receiver.URL())
		sendPredictions(c)
		c.Models[0].Sample.Rate, c.Models[0].Predictions.Rate = &rates.profile, &rates.predictions
		a := startAgent(t, c, nil)
		profiled, told := uint64(0), 0
		for i := range requests {
			id := fmt.Sprint("request-", i)
			named(t, "http://"+a.Addr(), string(loanRequest(t, i)), "X-Request-Id", id)
			if fraction(id) < rates.profile {
				profiled++
			}
			if fraction(id) < rates.predictions {
				told += 10
			}
		}
		stopAgent(t, a)
		var account signal.Capture
		for _, d := range incomes(profiles(t, receiver)) {
			account.Add(d.Capture)
		}
		if account.Seen != requests || account.Profiled != profiled || account.SampledOut != requests-profiled {
			t.Errorf("%+v: %d requests are to be profiled, the account is %+v", rates, profiled, account)
		}
		all := predictions(t, receiver)
		for _, p := range all {
			if p.Rate != rates.predictions {
				t.Errorf("%+v: a prediction at the rate %v", rates, p.Rate)
			}
		}
		if len(all) != told {
			t.Errorf("%+v: %d predictions, want %d", rates, len(all), told)
		}
	}
}
