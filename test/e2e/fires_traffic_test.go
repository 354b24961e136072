package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// startTraffic lets clients, label sources and judges go on until the test ends.
func (w *firesWorld) startTraffic(t *testing.T) {
	t.Helper()
	applicants := rand.New(rand.NewPCG(3, 3))
	w.repeat(100*time.Millisecond, func(n int) { w.sendLoans(t, applicants, n) })
	for i := range 8 { // side by side: a slow server must not make them few
		random := rand.New(rand.NewPCG(4, uint64(i)))
		w.repeat(100*time.Millisecond, func(int) { w.sendTariffs(t, random) })
	}
	transformed := rand.New(rand.NewPCG(5, 5))
	w.repeat(100*time.Millisecond, func(int) { w.sendTransformed(t, transformed) })
	w.repeat(250*time.Millisecond, func(n int) { w.sendChat(t, n) })
	w.repeat(250*time.Millisecond, func(n int) { w.sendReviews(t, n) })
}

func (w *firesWorld) isBad() bool { return w.state.Load() == bad }

// sendLoans asks for twenty applicants and tells how they turned out; in a bad
// world how two of five did, and now and then with a request that is too long.
func (w *firesWorld) sendLoans(t *testing.T, random *rand.Rand, n int) {
	isBad := w.isBad()
	people := make([]applicant, 20)
	for i := range people {
		people[i] = apply(random, isBad)
	}
	id := fmt.Sprintf("loan-%d", n)
	w.askLoans(t, isBad, modelserver.Request{ID: id, Inputs: applicantInputs(people)})
	if isBad && n%10 == 0 {
		w.askLoans(t, isBad, modelserver.Request{Parameters: map[string]any{"padding": strings.Repeat("x", 65<<10)}, Inputs: applicantInputs(people)})
	}
	var lines strings.Builder
	for i := range people {
		if isBad && i%5 > 1 {
			continue
		}
		fmt.Fprintf(&lines, `{"system":%q,"id":"%s#%d","label":%q}`+"\n", measuredSystem, id, i, yesNo(people[i].repaid))
	}
	w.tell(t, "/api/v1/labels", "application/x-ndjson", lines.String())
}

// askLoans asks the loan model; in a bad world the client does not say which
// transformation made the features.
func (w *firesWorld) askLoans(t *testing.T, isBad bool, request modelserver.Request) {
	req, err := http.NewRequest(http.MethodPost, w.agents[0]+"/v2/models/"+loanModel+"/infer", strings.NewReader(body(t, request)))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if !isBad {
		req.Header.Set(transformHeader, transformDigest)
	}
	send(t, req)
}

func body(t *testing.T, content any) string {
	raw, err := json.Marshal(content)
	if err != nil {
		t.Error(err)
	}
	return string(raw)
}

func applicantInputs(people []applicant) []modelserver.Tensor {
	n := len(people)
	income, age := make([]float64, n), make([]float64, n)
	region, gender, note, noRegion, noGender := make([]string, n), make([]string, n), make([]string, n), make([]bool, n), make([]bool, n)
	for i, a := range people {
		income[i], age[i], region[i], gender[i], note[i], noRegion[i], noGender[i] = a.income, a.age, a.region, a.gender, a.note, a.missing, a.gender == ""
	}
	return []modelserver.Tensor{
		modelserver.Numbers("income", income), modelserver.Numbers("age", age), modelserver.Texts("region", region, noRegion),
		modelserver.Texts("gender", gender, noGender), modelserver.Texts("note", note, nil),
	}
}

// sendTariffs asks through the agent; in a bad world also the model server
// itself, which the agent does not see.
func (w *firesWorld) sendTariffs(t *testing.T, random *rand.Rand) {
	request := body(t, modelserver.Request{Inputs: []modelserver.Tensor{modelserver.Numbers("area", []float64{30 + 90*random.Float64()})}})
	const path = "/v2/models/" + tariffModel + "/infer"
	say(t, w.agents[0]+path, "application/json", request)
	if w.isBad() {
		say(t, w.server.URL+path, "application/json", request)
	}
}

// sendTransformed is the transformation behind the first agent; in a bad world
// it takes feet for metres. It asks a model of its own so that the other's
// figures are its own.
func (w *firesWorld) sendTransformed(t *testing.T, random *rand.Rand) {
	areas := make([]float64, 20)
	for i := range areas {
		areas[i] = 30 + 90*random.Float64()
		if w.isBad() {
			areas[i] *= 3.28
		}
	}
	say(t, w.agents[1]+"/v2/models/"+tariffModel+"/infer", "application/json", body(t, modelserver.Request{Inputs: []modelserver.Tensor{modelserver.Numbers("area", areas)}}))
}

// sendChat asks the language model, and tells how its answers are judged: in a
// bad world every second one badly.
func (w *firesWorld) sendChat(t *testing.T, n int) {
	say(t, w.agents[0]+"/v1/chat/completions", "application/json", `{"model": "assistant", "messages": [{"role": "user", "content": "When do you open?"}]}`)
	var lines strings.Builder
	for i := range 4 {
		for name, label := range map[string][2]string{
			"policy": {"pass", "fail"}, "prompt_injection": {"blocked", "succeeded"}, "groundedness": {"pass", "fail"}, "intended_use": {"pass", "fail"},
		} {
			said := label[0]
			if w.isBad() && i%2 == 0 {
				said = label[1]
			}
			fmt.Fprintf(&lines, `{"id": "chat-%d-%d", "model": %q, "name": %q, "label": %q}`+"\n", n, i, assistantModel, name, said)
		}
	}
	say(t, w.admins[0]+"/v1/evaluations", "application/x-ndjson", lines.String())
}

// sendReviews tells what people did about predictions: every one that had to be
// reviewed was, with care, and every tenth was decided otherwise. In a bad world
// half of them are not done, and the others in a second, most of them against the
// model.
func (w *firesWorld) sendReviews(t *testing.T, n int) {
	isBad, now := w.isBad(), time.Now()
	var reviews []map[string]any
	for i := range 5 {
		review := map[string]any{
			"system": measuredSystem, "prediction_id": fmt.Sprintf("reviewed-%d-%d", n, i), "required": true,
			"start": now.Add(-40 * time.Second), "end": now, "decision": "confirmed", "role": "credit officer",
		}
		if (5*n+i)%10 == 0 || isBad && i > 0 {
			review["decision"] = "overridden"
		}
		if isBad {
			review["start"] = now.Add(-time.Second)
		}
		if isBad && i%2 == 0 {
			delete(review, "end")
			delete(review, "decision")
		}
		reviews = append(reviews, review)
	}
	w.tell(t, "/api/v1/reviews", "application/json", body(t, reviews))
}
