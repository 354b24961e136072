package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// stream is what was sent, with what is known about it.
type stream struct {
	people  *population
	random  *rand.Rand
	batches int

	mu      sync.Mutex
	rows    map[string]int     // labelled rows by model
	right   map[string]int     // of these, as predicted
	squared map[string]float64 // sum of squared errors
}

func (m *measured) stream(*testing.T) *stream {
	return &stream{
		people: newPopulation(99), random: rand.New(rand.NewPCG(5, 5)),
		rows: map[string]int{}, right: map[string]int{}, squared: map[string]float64{},
	}
}

// send makes requests to every model, and tells how their rows turned out.
func (s *stream) send(t *testing.T, m *measured, requests int) {
	t.Helper()
	s.batches++
	s.people.drifted = s.batches > 4
	for i := range requests {
		s.loans(t, m, i)
		if i%4 == 0 {
			s.rents(t, m, i)
			s.topics(t, m, i)
		}
	}
	s.unseen(t, m)
	s.judge(t, m)
}

// judge tells what somebody thinks of an answer.
func (s *stream) judge(t *testing.T, m *measured) {
	t.Helper()
	said := fmt.Sprintf(`{"id": "judged-%d", "model": %q, "name": "relevance", "score": %.2f, "label": "pass"}`, s.batches, topicModel, s.random.Float64())
	resp, err := http.Post(m.admins[0]+"/v1/evaluations", "application/json", strings.NewReader(said))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("an evaluation was answered %s", resp.Status)
	}
}

// unseen makes a request that is too long to be looked at: its row is lost to
// the statistics, and widens the bounds of what is said about the others.
func (s *stream) unseen(t *testing.T, m *measured) {
	t.Helper()
	infer3(t, m.agents[0], loanModel, modelserver.Request{
		Parameters: map[string]any{"padding": strings.Repeat("x", 65<<10)},
		Inputs:     loanInputs([]person{s.people.person()}, s.random),
	})
}

// loans asks for several people at once, some of them twice; every fourth
// request goes to the second replica, whose predictions are not sent.
func (s *stream) loans(t *testing.T, m *measured, i int) {
	people := make([]person, 4+s.random.IntN(5))
	for j := range people {
		people[j] = s.people.person()
	}
	people = append(people, people[0])
	id := fmt.Sprintf("loan-%d-%d", s.batches, i)
	infer3(t, m.agents[i%4/3], loanModel, modelserver.Request{ID: id, Inputs: loanInputs(people, s.random)})
	if i%4 == 3 {
		return
	}
	var labels []label
	for j, p := range people {
		labels = append(labels, label{fmt.Sprint(id, "#", j), yesNo(p.repaid)})
		s.count(loanModel, p.repaid == p.approved, 0)
	}
	m.label(t, labels)
}

// loanInputs are the tensors of a request, with a note missing here and an
// unknown region there.
func loanInputs(people []person, random *rand.Rand) []modelserver.Tensor {
	column := func(of func(person) float64) []float64 {
		out := make([]float64, len(people))
		for i, p := range people {
			out[i] = of(p)
		}
		return out
	}
	region, gender, note := make([]string, len(people)), make([]string, len(people)), make([]string, len(people))
	missing := make([]bool, len(people))
	for i, p := range people {
		region[i], gender[i], note[i] = p.region, p.gender, p.note
		if random.IntN(30) == 0 {
			region[i] = "abroad"
		}
		missing[i] = random.IntN(30) == 0
	}
	out := []modelserver.Tensor{
		modelserver.Numbers("income", column(func(p person) float64 { return p.income })),
		modelserver.Numbers("age", column(func(p person) float64 { return p.age })),
		modelserver.Texts("region", region, nil), modelserver.Texts("gender", gender, nil), modelserver.Texts("note", note, missing),
	}
	for k := range coordinates {
		out = append(out, modelserver.Numbers(coordinate(k), column(func(p person) float64 { return p.vector[k] })))
	}
	return out
}

func (s *stream) rents(t *testing.T, m *measured, i int) {
	id, area := fmt.Sprintf("rent-%d-%d", s.batches, i), 30+90*s.random.Float64()
	infer3(t, m.agents[0], rentModel, modelserver.Request{ID: id, Inputs: []modelserver.Tensor{
		modelserver.Numbers("area", []float64{area}), modelserver.Numbers("floor", []float64{float64(i % 5)}),
	}})
	actual := rentOf(area) + 20*s.random.NormFloat64()
	m.label(t, []label{{id, number(actual)}})
	s.count(rentModel, false, (rentOf(area)-actual)*(rentOf(area)-actual))
}

func (s *stream) topics(t *testing.T, m *measured, i int) {
	id, length := fmt.Sprintf("topic-%d-%d", s.batches, i), math.Floor(90*s.random.Float64())
	infer3(t, m.agents[0], topicModel, modelserver.Request{ID: id, Inputs: []modelserver.Tensor{modelserver.Numbers("length", []float64{length})}})
	actual := topicOf(length)
	if s.random.IntN(4) == 0 {
		actual = "other"
	}
	m.label(t, []label{{id, actual}})
	s.count(topicModel, actual == topicOf(length), 0)
}

func (s *stream) count(model string, right bool, squared float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[model]++
	s.squared[model] += squared
	if right {
		s.right[model]++
	}
}

// infer3 asks one of the three models.
func infer3(t *testing.T, agent, model string, request modelserver.Request) {
	t.Helper()
	raw, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	post(t, agent+"/v2/models/"+model+"/infer", raw)
}

type label struct {
	id, value string
}

// label tells the collector how rows turned out.
func (m *measured) label(t *testing.T, labels []label) {
	t.Helper()
	var lines bytes.Buffer
	for _, l := range labels {
		fmt.Fprintf(&lines, `{"system":%q,"id":%q,"label":%q}`+"\n", measuredSystem, l.id, l.value)
	}
	post(t, m.api+"/api/v1/labels", lines.Bytes())
}

func post(t *testing.T, url string, body []byte) {
	t.Helper()
	contentType := "application/json"
	if strings.HasSuffix(url, "/labels") {
		contentType = "application/x-ndjson"
	}
	resp, err := http.Post(url, contentType, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s answered %s: %s, %v", url, resp.Status, answer, err)
	}
}
