package tap_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/agent/tap"
	"github.com/evenkeel/evenkeel/agent/window"
	"github.com/evenkeel/evenkeel/agent/wire"
	"github.com/evenkeel/evenkeel/signal"
)

// loanServer is a V2 model server: approved where income is over 20. It keeps
// a digest of every request and answer under its id.
type loanServer struct{ requests, answers sync.Map }

func (s *loanServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	plain := raw
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err == nil {
			plain, err = io.ReadAll(z)
		}
		if err != nil {
			http.Error(w, `{"error":"gzip"}`, http.StatusBadRequest)
			return
		}
	}
	var q struct {
		ID     string
		Inputs []struct {
			Name string
			Data []json.RawMessage
		}
	}
	if err := json.Unmarshal(plain, &q); err != nil {
		http.Error(w, `{"error":"json"}`, http.StatusBadRequest)
		return
	}
	approved := make([]int, len(q.Inputs[0].Data))
	for i, v := range q.Inputs[0].Data {
		var income float64
		if json.Unmarshal(v, &income) == nil && income > 20 {
			approved[i] = 1
		}
	}
	answer, _ := json.Marshal(map[string]any{
		"model_name": "loans", "model_version": "7", "id": q.ID,
		"outputs": []any{map[string]any{"name": "approved", "shape": []int{len(approved), 1}, "datatype": "INT64", "data": approved}},
	})
	s.requests.Store(q.ID, sha256.Sum256(raw))
	s.answers.Store(q.ID, sha256.Sum256(answer))
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// applicants makes a request of some rows and adds what it should count to the
// expectation.
func applicants(r *rand.Rand, id string, want *expected) []byte {
	rows := 1 + r.IntN(8)
	income, gender := make([]any, rows), make([]any, rows)
	for i := range rows {
		x := float64(r.IntN(40)) + 0.5
		income[i], gender[i] = x, []string{"female", "male"}[r.IntN(2)]
		if r.IntN(20) == 0 {
			income[i] = nil
			want.missing.Add(1)
		} else {
			want.cells[min(int(x)/10, 3)].Add(1)
		}
		group := want.groups[gender[i].(string)]
		group[1].Add(1)
		if income[i] != nil && x > 20 {
			group[0].Add(1)
		}
	}
	body, _ := json.Marshal(map[string]any{"id": id, "inputs": []any{
		map[string]any{"name": "income", "shape": []int{rows, 1}, "datatype": "FP64", "data": income},
		map[string]any{"name": "gender", "shape": []int{rows}, "datatype": "BYTES", "data": gender},
	}})
	want.rows.Add(uint64(rows))
	return body
}

type expected struct {
	rows, missing atomic.Uint64
	cells         [4]atomic.Uint64
	groups        map[string]*[2]atomic.Uint64 // favourable, total
}

func loansBaseline() *signal.Baseline {
	return &signal.Baseline{
		Format: signal.BaselineFormat, Model: signal.ModelRef{Name: "loans"}, Rows: 4,
		Features: []signal.FeatureBaseline{
			{
				Name: "income", Target: signal.TargetFeature, Kind: signal.Numeric, Grid: []float64{10, 20, 30}, Deciles: []int{0, 1, 2},
				Counts: []uint64{1, 1, 1, 1}, N: 4, Max: 40,
			},
			{Name: "approved", Target: signal.TargetPrediction, Kind: signal.Categorical, Categories: []string{"0", "1"}, Counts: []uint64{2, 2}, N: 4},
		},
	}
}

// agentUnderTest is the tap with a decoder and windows behind it, as the agent
// composes them.
type agentUnderTest struct {
	*harness
	set     *window.Set
	faults  *wire.FaultLog
	windows []*window.Closed // to be read when the drain has stopped
	stop    func()
}

func newAgent(t *testing.T, upstream http.Handler, count uint64) *agentUnderTest {
	log := slog.New(slog.DiscardHandler)
	decoder := wire.NewOIP(wire.OIPOptions{Models: map[string]wire.OIPModel{"loans": {}}})
	a := &agentUnderTest{faults: wire.NewFaultLog(log, time.Minute, nil)}
	a.harness = newHarness(t, serve(t, upstream), func(o *tap.Options) { o.Wanted = decoder.Wants })
	sequences, err := window.OpenSequences(filepath.Join(t.TempDir(), "sequences.json"))
	if err != nil {
		t.Fatal(err)
	}
	a.set, err = window.NewSet([]window.Options{{
		System: "loan-approval", Instance: "agent-1", Model: signal.ModelRef{Name: "loans"},
		Baseline:  loansBaseline(),
		Outcome:   window.Outcome{Output: "approved", Values: []string{"1"}},
		Protected: []signal.FeatureName{"gender"},
		Count:     count, Sequences: sequences, Log: log,
		Sink: func(w *window.Closed) { a.windows = append(a.windows, w) },
		Capture: func() signal.Capture {
			c := a.tap.Counts("loans")
			return signal.Capture{Seen: c.Seen, Dropped: c.Dropped(), Undecodable: a.faults.Undecodable("loans")}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	a.stop = a.drain(func(x *tap.Exchange) {
		y := wire.Exchange{Path: x.Path, Status: x.Status, End: x.End, Request: wire.Message(x.Request), Response: wire.Message(x.Response)}
		obs, err := decoder.Decode(&y)
		if err != nil {
			a.faults.Record(x.Model, &y, err)
			return
		}
		a.set.Observe(obs)
	})
	return a
}

// TestFromRequestToWindow sends 10,000 requests through the tap to a real model
// server, some compressed and some broken, and checks that no byte differs and
// every row is counted.
func TestFromRequestToWindow(t *testing.T) {
	const requests, workers = 10_000, 8
	server := &loanServer{}
	a := newAgent(t, server, 5_000)
	want := &expected{groups: map[string]*[2]atomic.Uint64{"female": {}, "male": {}}}
	var broken atomic.Uint64
	var clients sync.WaitGroup
	for w := range workers {
		clients.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 42))
			for i := range requests / workers {
				id := fmt.Sprintf("%d-%d", w, i)
				if i%100 == 99 {
					broken.Add(1)
					if status, _, err := a.post("/v2/models/loans/infer", "{"+id); err != nil || status != http.StatusBadRequest {
						t.Errorf("broken request %s: %d, %v", id, status, err)
					}
					continue
				}
				if err := a.roundTrip(server, id, applicants(r, id, want), i%10 == 0); err != nil {
					t.Errorf("request %s: %v", id, err)
				}
			}
		})
	}
	clients.Wait()
	c := a.idle(requests)
	a.stop()
	a.set.Flush()

	if c.Captured != requests-c.Failed || c.Failed != broken.Load() || a.faults.Failed("loans") != broken.Load() {
		t.Errorf("%+v, faults %v, broken %d", c, a.faults.Counts(), broken.Load())
	}
	a.checkWindows(t, want, requests, broken.Load())
}

// roundTrip sends one request and compares what both ends saw.
func (a *agentUnderTest) roundTrip(server *loanServer, id string, body []byte, compressed bool) error {
	q, err := http.NewRequest(http.MethodPost, a.url+"/v2/models/loans/infer", nil)
	if err != nil {
		return err
	}
	if compressed {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(body)
		_ = z.Close()
		body = b.Bytes()
		q.Header.Set("Content-Encoding", "gzip")
	}
	q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r, err := a.client.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 {
		return fmt.Errorf("status %d, %w", r.StatusCode, err)
	}
	sent, _ := server.requests.Load(id)
	answered, _ := server.answers.Load(id)
	if sent != sha256.Sum256(body) || answered != sha256.Sum256(answer) {
		return fmt.Errorf("bytes differ between client and model server")
	}
	return nil
}

func (a *agentUnderTest) checkWindows(t *testing.T, want *expected, requests, broken uint64) {
	rows, income, gender, account := uint64(0), (*signal.Distribution)(nil), (*signal.Distribution)(nil), signal.Capture{}
	for i, w := range a.windows {
		if w.ID.Sequence != uint64(i+1) || w.Model != (signal.ModelRef{Name: "loans", Version: "7"}) || len(w.Distributions) != 4 {
			t.Fatalf("window %d: %+v", i, w)
		}
		table := w.Distributions[slices.IndexFunc(w.Distributions, func(d *signal.Distribution) bool { return d.Target == signal.TargetGroup })]
		account.Add(w.Capture)
		rows += w.Distributions[0].N
		if i < len(a.windows)-1 && w.Distributions[0].N != 5_000 {
			t.Errorf("window %d holds %d rows, want exactly 5,000", i, w.Distributions[0].N)
		}
		if i == 0 {
			income, gender = w.Distributions[0], table
			continue
		}
		if err := income.Merge(w.Distributions[0]); err != nil {
			t.Fatal(err)
		}
		if err := gender.Merge(table); err != nil {
			t.Fatal(err)
		}
	}
	cells := make([]uint64, 4)
	for i := range cells {
		cells[i] = want.cells[i].Load()
	}
	var groups []signal.GroupCount
	for _, g := range []string{"female", "male"} {
		groups = append(groups, signal.GroupCount{Group: g, Favourable: want.groups[g][0].Load(), Total: want.groups[g][1].Load()})
	}
	if rows != want.rows.Load() || !reflect.DeepEqual(income.Counts, cells) || income.Missing != want.missing.Load() {
		t.Errorf("income of %d rows: %v, missing %d; want %d rows, %v, missing %d", rows, income.Counts, income.Missing, want.rows.Load(), cells, want.missing.Load())
	}
	for i := range gender.Groups {
		gender.Groups[i].Requests = nil // how the rows came is another test's matter
	}
	if !reflect.DeepEqual(gender.Groups, groups) {
		t.Errorf("groups %v, want %v", gender.Groups, groups)
	}
	if full := (signal.Capture{Seen: requests - broken, Profiled: requests - broken}); account != full {
		t.Errorf("account %+v, want %+v", account, full)
	}
}
