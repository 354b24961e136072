package agent_test

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/agent/export/otlptest"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// profiles decodes every window event that was accepted, in order.
func profiles(t testing.TB, r *otlptest.Receiver) []*signal.Distribution {
	t.Helper()
	var out []*signal.Distribution
	for _, e := range r.Events(signal.EventWindowProfile) {
		d, err := signal.DecodeDistribution(e.Attributes)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

// of gives the distributions of one column.
func of(all []*signal.Distribution, target signal.Target, name signal.FeatureName) []*signal.Distribution {
	var out []*signal.Distribution
	for _, d := range all {
		if d.Target == target && d.Feature == name {
			out = append(out, d)
		}
	}
	return out
}

func incomes(all []*signal.Distribution) []*signal.Distribution {
	return of(all, signal.TargetFeature, "income")
}

func awaitWindows(t testing.TB, r *otlptest.Receiver, n int) []*signal.Distribution {
	t.Helper()
	otlptest.Eventually(t, fmt.Sprintf("%d windows", n), func() bool { return len(incomes(profiles(t, r))) >= n })
	return profiles(t, r)
}

func sequences(all []*signal.Distribution) string {
	var out []string
	for _, d := range incomes(all) {
		out = append(out, fmt.Sprint(d.Window.Sequence))
	}
	return strings.Join(out, " ")
}

// From HTTP to OTLP, real at both ends: what the window says is what was
// served, counted here once more by hand.
func TestWindowHoldsExactlyWhatWasServed(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	c := loanConfig(t, server.URL, receiver.URL())
	a := startAgent(t, c, nil)
	serveLoans(t, a, server, 0, 10)
	all := awaitWindows(t, receiver, 1)

	income := incomes(all)[0]
	// 100 rows over 40 incomes 0.05, 0.15 .. 3.95: 0..19 thrice, 20..39 twice.
	if want := []uint64{30, 30, 20, 20}; !slices.Equal(income.Counts, want) || income.N != 100 || income.Missing != 0 || income.Invalid != 0 {
		t.Errorf("income %v of %d, want %v", income.Counts, income.N, want)
	}
	if income.Min != 0.05 || math.Abs(income.Max-3.95) > 1e-12 {
		t.Errorf("income from %v to %v", income.Min, income.Max)
	}
	approved := of(all, signal.TargetPrediction, "approved")[0]
	if want := []uint64{60, 40}; !slices.Equal(approved.Counts, want) {
		t.Errorf("approved %v, want %v", approved.Counts, want)
	}
	groups := of(all, signal.TargetGroup, "gender")[0].Groups
	for i := range groups {
		groups[i].Requests = nil // how the rows came is the window's own test's matter
	}
	if want := wantGroups(); !slices.Equal(groups, want) {
		t.Errorf("groups %v, want %v", groups, want)
	}
	digest, err := loanBaseline().Digest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Model != (signal.ModelRef{Name: "loans", Version: "1"}) || d.Window.Sequence != 1 || d.Parts != 4 || d.Baseline != digest || d.Capture != all[0].Capture {
			t.Errorf("%s: model %s, window %s, parts %d, baseline %s, capture %+v", d.Feature, d.Model, d.Window, d.Parts, d.Baseline.Short(), d.Capture)
		}
	}
	if got := all[0].Capture; got.Profiled != 10 || got.Dropped != 0 || got.Undecodable != 0 {
		t.Errorf("capture %+v, want 10 profiled", got)
	}
}

// wantGroups counts the served rows by hand.
func wantGroups() []signal.GroupCount {
	female, male := signal.GroupCount{Group: "female"}, signal.GroupCount{Group: "male"}
	for i := range 100 {
		g := &male
		if i%10%4 == 1 {
			g = &female
		}
		g.Total++
		if float64(i%40)/10+0.05 > 2 {
			g.Favourable++
		}
	}
	return []signal.GroupCount{female, male}
}

// Whatever the collector does, the clients see nothing, and when it is back
// every window arrives once and in order.
func TestCollectorAwaySlowOrRefusingCostsNothing(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	for name, answer := range map[string]otlptest.Answer{
		"refusing":        {Status: http.StatusServiceUnavailable},
		"unauthenticated": {Status: http.StatusUnauthorized},
		"full":            {Status: http.StatusTooManyRequests, RetryAfter: "0"},
		"hanging":         {Hold: hold},
	} {
		t.Run(name, func(t *testing.T) {
			server := startModelServer(t, approve)
			receiver := otlptest.Start(t, func(otlptest.Request) otlptest.Answer { return answer })
			c := loanConfig(t, server.URL, receiver.URL())
			c.Export.Timeout = c.StopTimeout / 10
			a := startAgent(t, c, nil)
			serveLoans(t, a, server, 0, 30)
			otlptest.Eventually(t, "an attempt", func() bool { return len(receiver.Arrived()) > 0 })
			if n := len(receiver.Accepted()); n != 0 {
				t.Fatalf("%d requests were accepted by a collector that takes none", n)
			}
			receiver.Answer(nil)
			if got := sequences(awaitWindows(t, receiver, 3)); got != "1 2 3" {
				t.Errorf("sequences %s", got)
			}
		})
	}
	t.Run("away", func(t *testing.T) {
		server := startModelServer(t, approve)
		c := loanConfig(t, server.URL, "http://127.0.0.1:1")
		a := startAgent(t, c, nil)
		serveLoans(t, a, server, 0, 30)
		stopAgent(t, a)
		receiver := otlptest.Start(t, nil)
		c.Export.Endpoint = receiver.URL()
		startAgent(t, c, nil)
		// The fourth is empty: it was open when the agent stopped.
		if got := sequences(awaitWindows(t, receiver, 4)); got != "1 2 3 4" {
			t.Errorf("sequences %s", got)
		}
	})
}

// What cannot be decoded goes through untouched, is counted by reason, and is
// described in the log without a value of it. An error of the model server is no
// fault of decoding.
func TestUndecodablePayloadsPassUntouchedAndAreCounted(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	var log lockedBuffer
	a := startAgent(t, loanConfig(t, server.URL, receiver.URL()), &log)
	wide := slices.Repeat([]float64{31337}, 1025)
	image := numbers("image", wide...)
	image.Shape = []int{1, len(wide)}
	for _, body := range []string{
		string(encode(t, numbers("income", 1), image)),                                // decoded, but for the image
		`{"inputs":[{"name":"income","shape":[2],"datatype":"FP64","data":[31337]}]}`, // the shape lies
		`not JSON 31337`,
	} {
		status, got := infer(t, "http://"+a.Addr(), "loans", []byte(body))
		wantStatus, want := infer(t, server.URL, "loans", []byte(body))
		if status != wantStatus || string(got) != string(want) {
			t.Errorf("%s: %d %s, the model server says %d %s", body, status, got, wantStatus, want)
		}
	}
	serveLoans(t, a, server, 0, 10)
	all := awaitWindows(t, receiver, 1)
	if got := all[0].Capture; got.Undecodable != 1 || got.Profiled != 11 {
		t.Errorf("capture %+v, want 1 undecodable and 11 profiled: what the server refused is neither", got)
	}
	want := map[string]float64{"shape_mismatch": 1, "too_wide": 1}
	shown := byLabel(t, a.AdminAddr(), "evenkeel_capture_undecodable", "evenkeel_reason")
	if panics := byLabel(t, a.AdminAddr(), "evenkeel_agent_panics", "evenkeel_agent_part"); len(panics) != 10 {
		t.Errorf("panics %v, want the 10 parts of the agent", panics)
	}
	stopAgent(t, a)
	sent := map[string]float64{}
	for _, p := range receiver.Points("evenkeel.capture.undecodable") {
		sent[p.Attributes[signal.KeyReason].(string)] = p.Value
	}
	for _, counts := range []map[string]float64{shown, sent} {
		if len(counts) != len(wire.Reasons())+2 { // and those of too many versions and of a model that went
			t.Errorf("%d reasons, want each of them, also with 0", len(counts))
		}
		for reason, n := range counts {
			if n != want[reason] {
				t.Errorf("%s: %v, want %v", reason, n, want[reason])
			}
		}
	}
	text := log.String()
	if strings.Count(text, "payload not decoded") != 1 || !strings.Contains(text, "shape_mismatch") || strings.Contains(text, "31337") {
		t.Errorf("the log does not describe the payload, or shows a value:\n%s", text)
	}
	if !strings.Contains(text, "tensor not profiled") || strings.Contains(text, "error_status") {
		t.Errorf("the log is silent about the image, or calls an error of the model server a fault:\n%s", text)
	}
}

// A new version has windows of its own, and is declared.
func TestNewModelVersionHasItsOwnWindowsAndIsDeclared(t *testing.T) {
	server := startModelServer(t, approve)
	receiver := otlptest.Start(t, nil)
	a := startAgent(t, loanConfig(t, server.URL, receiver.URL()), nil)
	serveLoans(t, a, server, 0, 10)
	server.setVersion("2")
	serveLoans(t, a, server, 10, 20)
	var models []string
	for _, d := range incomes(awaitWindows(t, receiver, 2)) {
		models = append(models, fmt.Sprint(d.Model, " ", d.Window.Sequence))
	}
	if got := strings.Join(models, ", "); got != "loans@1 1, loans@2 1" {
		t.Errorf("windows %s", got)
	}
	var versions []string
	for _, e := range receiver.Events(signal.EventBaseline) {
		versions = append(versions, fmt.Sprintf("%q", e.Attributes[signal.KeyModelVersion]))
	}
	if got := strings.Join(versions, " "); got != `"" "1" "2"` {
		t.Errorf("baselines declared for versions %s", got)
	}
}
