package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/probe"
	"github.com/evenkeel/evenkeel/signal"
)

func column(name string, numbers ...float64) signal.Column {
	return signal.Column{Name: signal.FeatureName(name), Target: signal.TargetPrediction, Numbers: numbers}
}

func TestAgrees(t *testing.T) {
	text := func(missing bool, values ...string) signal.Column {
		return signal.Column{Name: "y", Target: signal.TargetPrediction, Strings: values, Missing: []bool{missing}}
	}
	for _, c := range []struct {
		expect  string
		answer  signal.Column
		agrees  bool
		because string
	}{
		{"1", column("y", 1), true, ""},
		{"1", column("y", 1.001), true, "within the tolerance"},
		{"1", column("y", 1.0011), false, "beyond it"},
		{"1000", column("y", 1001), true, "the tolerance is a share beyond 1"},
		{"0.001", column("y", 0.0021), false, "and not below"},
		{"1", column("y", math.NaN()), false, "NaN is nothing"},
		{"1", column("y", 1, 1), false, "more rows than expected"},
		{"[1, 1]", column("y", 1), false, "fewer rows"},
		{"1", column("z", 1), false, "another output"},
		{`"yes"`, text(false, "yes"), true, ""},
		{`"yes"`, text(true, "yes"), false, "missing"},
		{`"yes"`, text(false, "Yes"), false, "texts are equal or not"},
		{`"1"`, text(false, "1.0"), true, "numbers by value"},
		{"true", column("y", 1), true, "truth values are numbers"},
		{`"yes"`, column("y", 1), false, ""},
	} {
		set, err := probe.Read([]byte(`{"request": {}, "expect": `+c.expect+`}`), probe.Reading{Output: "y"})
		if err != nil {
			t.Fatal(err)
		}
		answer := &signal.Observation{Rows: max(len(c.answer.Numbers), len(c.answer.Strings)), Columns: []signal.Column{c.answer}}
		if got := probe.Agrees(&set.Cases[0], answer, 0.001); got != c.agrees {
			t.Errorf("expect %s, answered %+v: agrees %v; %s", c.expect, c.answer, got, c.because)
		}
	}
}

// decode reads {"y": NUMBER, "version": TEXT}.
func decode(r *probe.Reply) (*signal.Observation, error) {
	var answer struct {
		Y       *float64 `json:"y"`
		Version string   `json:"version"`
	}
	if err := json.Unmarshal(r.Body, &answer); err != nil {
		return nil, err
	}
	if answer.Y == nil {
		return nil, errors.New("no y")
	}
	return &signal.Observation{Model: signal.ModelRef{Version: answer.Version}, Rows: 1, Columns: []signal.Column{column("y", *answer.Y)}}, nil
}

func newProber(t *testing.T, url, cases string, change func(*probe.Options)) *probe.Prober {
	t.Helper()
	set, err := probe.Read([]byte(cases), probe.Reading{Output: "y"})
	if err != nil {
		t.Fatal(err)
	}
	o := probe.Options{
		Model: "m", URL: url, Set: set, Every: time.Hour, Timeout: 20 * time.Second, MaxAnswer: 1 << 10,
		Header: map[string]string{"Authorization": "Bearer t"},
		Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Decode: decode,
		Now: time.Now, After: time.After, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&o)
	}
	return probe.New(o)
}

// A server that answers each case with what it asks for.
func startEcho(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(probe.Header) != "1" || !probe.IsMarked(r.Header) || !probe.IsID(r.Header.Get("X-Request-Id")) ||
			r.Header.Get("X-Request-Id") != r.Header.Get("Ce-Id") || r.Header.Get("Authorization") != "Bearer t" || r.Method != http.MethodPost {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		var ask struct {
			Status int    `json:"status"`
			Answer string `json:"answer"`
			Abort  bool   `json:"abort"`
		}
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			t.Error(err)
		}
		if ask.Abort {
			panic(http.ErrAbortHandler)
		}
		if ask.Status != 0 {
			w.WriteHeader(ask.Status)
		}
		_, _ = io.WriteString(w, ask.Answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestRound(t *testing.T) {
	s := startEcho(t)
	long, _ := json.Marshal(strings.Repeat("x", 2<<10))
	p := newProber(t, s.URL, strings.Join([]string{
		`{"request": {"answer": "{\"y\": 1, \"version\": \"1\"}"}, "expect": 1}`,
		`{"request": {"answer": "{\"y\": 2, \"version\": \"2\"}"}, "expect": 2}`,
		`{"request": {"answer": "{\"y\": 2, \"version\": \"2\"}"}, "expect": 3}`,
		`{"request": {"status": 503, "answer": "{\"y\": 1}"}, "expect": 1}`,
		`{"request": {"answer": "oops"}, "expect": 1}`,
		`{"request": {"abort": true}, "expect": 1}`,
		`{"request": {"answer": ` + string(long) + `}, "expect": 1}`,
	}, "\n"), nil)
	for round := 1; round <= 2; round++ {
		if !p.Round(t.Context()) {
			t.Error("nothing was answered")
		}
		a := p.Account()
		n := uint64(round)
		if a.Agreed != 2*n || a.Differed != n || a.Rounds != n || a.Ended.IsZero() || a.Seconds <= 0 {
			t.Errorf("%+v", a)
		}
		for _, why := range []probe.Failure{probe.Status, probe.Undecodable, probe.Unreachable, probe.TooLarge} {
			if a.Failures[why] != n {
				t.Errorf("%d times %s, want %d", a.Failures[why], why, n)
			}
		}
		want := []probe.Result{{Version: "1", Agreed: 1, Answered: 1}, {Version: "2", Agreed: 1, Answered: 2}}
		if len(a.Last) != 2 || a.Last[0] != want[0] || a.Last[1] != want[1] {
			t.Errorf("last round %+v, want %+v", a.Last, want)
		}
	}
	carried := newProber(t, s.URL, `{"request": {}, "expect": 1}`, func(o *probe.Options) {
		before := p.Account()
		o.Before = &before
	}).Account()
	if carried.Agreed != 4 || carried.Failures[probe.Status] != 2 || carried.Digest == p.Account().Digest || len(carried.Last) != 0 {
		t.Errorf("after a change %+v", carried)
	}
}

// A model server that is away, or takes too long, is a failure; the last round
// then says nothing about the model.
func TestServerAway(t *testing.T) {
	s := startEcho(t)
	p := newProber(t, s.URL, `{"request": {"answer": "{\"y\": 1}"}, "expect": 1}`, nil)
	if !p.Round(t.Context()) || len(p.Account().Last) != 1 {
		t.Fatalf("%+v", p.Account())
	}
	s.Close()
	if p.Round(t.Context()) {
		t.Error("answered by nobody")
	}
	if a := p.Account(); a.Failures[probe.Unreachable] != 1 || len(a.Last) != 0 || a.Rounds != 2 {
		t.Errorf("%+v", a)
	}

	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()
	defer close(release)
	p = newProber(t, silent.URL, `{"request": {}, "expect": 1}`, func(o *probe.Options) { o.Timeout = time.Millisecond })
	if p.Round(t.Context()) || p.Account().Failures[probe.TimedOut] != 1 {
		t.Errorf("%+v", p.Account())
	}
}

// Rounds come at once and then every period, measured from start to start; soon
// after one in which nothing was answered; and none after the end.
func TestRun(t *testing.T) {
	s := startEcho(t)
	var asked atomic.Int64
	now := time.Unix(1e9, 0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var waits []time.Duration
	p := newProber(t, s.URL, `{"request": {"answer": "{\"y\": 1}"}, "expect": 1}`, func(o *probe.Options) {
		o.Now = func() time.Time { return now }
		plain := o.Decode
		o.Decode = func(r *probe.Reply) (*signal.Observation, error) {
			now = now.Add(10 * time.Second) // the round takes as long
			if asked.Add(1) == 2 {
				return nil, errors.New("none")
			}
			return plain(r)
		}
		o.After = func(d time.Duration) <-chan time.Time {
			waits = append(waits, d)
			if len(waits) == 3 {
				cancel()
				return nil
			}
			passed := make(chan time.Time, 1)
			passed <- now
			return passed
		}
	})
	p.Run(ctx)
	want := []time.Duration{time.Hour - 10*time.Second, time.Minute - 10*time.Second, time.Hour - 10*time.Second}
	if len(waits) != 3 || waits[0] != want[0] || waits[1] != want[1] || waits[2] != want[2] {
		t.Errorf("waited %v, want %v", waits, want)
	}
	if a := p.Account(); a.Rounds != 3 || a.Agreed != 2 || a.Took != 10*time.Second {
		t.Errorf("%+v", a)
	}
	if p.Round(ctx); p.Account().Rounds != 3 {
		t.Error("a round that was cut off counts")
	}
}
