package modelserver

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

func start(t *testing.T, m Model) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(Handler(m, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return s
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

const twoApplicants = `{"id": "a1", "inputs": [
  {"name": "income", "shape": [2], "datatype": "FP64", "data": [90000, 9000]},
  {"name": "age", "shape": [2, 1], "datatype": "FP32", "data": [[40], [20]]},
  {"name": "debt_ratio", "shape": [2], "datatype": "FP64", "data": [0.1, 0.9]},
  {"name": "years_employed", "shape": [2], "datatype": "INT32", "data": [10, 0]},
  {"name": "credit_history", "shape": [2], "datatype": "BYTES", "data": ["good", "poor"]},
  {"name": "region", "shape": [2], "datatype": "BYTES", "data": ["north", "south"]},
  {"name": "gender", "shape": [2], "datatype": "BYTES", "data": ["female", "male"]}]}`

func TestInfer(t *testing.T) {
	s := start(t, NewLoan(Sound()))
	for _, path := range []string{"/v2/models/loan-approval/infer", "/v2/models/loan-approval/versions/1/infer"} {
		status, body := call(t, "POST", s.URL+path, twoApplicants)
		if status != 200 {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		var r Response
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		if r.ModelName != LoanModel || r.ModelVersion != "1" || r.ID != "a1" || len(r.Outputs) != 2 {
			t.Fatalf("answer %+v", r)
		}
		if got := string(r.Outputs[0].Data); r.Outputs[0].Name != "approved" || got != "[1,0]" {
			t.Errorf("approved: %s", got)
		}
		if !slices.Equal(r.Outputs[1].Shape, []int{2}) || r.Outputs[1].Datatype != "FP64" {
			t.Errorf("probability: %+v", r.Outputs[1])
		}
	}
}

func TestChosenOutputs(t *testing.T) {
	s := start(t, NewLoan(Sound()))
	body := strings.TrimSuffix(twoApplicants, "}") + `, "outputs": [{"name": "probability"}]}`
	status, answer := call(t, "POST", s.URL+"/v2/models/loan-approval/infer", body)
	if status != 200 || strings.Contains(answer, "approved") || !strings.Contains(answer, "probability") {
		t.Errorf("%d %s", status, answer)
	}
}

func TestFaultsAreAnsweredAsTheProtocolSays(t *testing.T) {
	s := start(t, NewLoan(Sound()))
	const infer = "/v2/models/loan-approval/infer"
	change := func(old, new string) string {
		if !strings.Contains(twoApplicants, old) {
			t.Fatalf("test data lacks %q", old)
		}
		return strings.Replace(twoApplicants, old, new, 1)
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"unknown model", "POST", "/v2/models/other/infer", twoApplicants, 404, `unknown model`},
		{"unknown version", "GET", "/v2/models/loan-approval/versions/9", "", 404, `unknown version`},
		{"unknown path", "GET", "/v3", "", 404, "no such endpoint"},
		{"wrong method", "GET", infer, "", 405, "not allowed"},
		{"not JSON", "POST", infer, "{", 400, "not an inference request"},
		{"too large", "POST", infer, `{"id":"` + strings.Repeat("x", maxBody) + `"}`, 413, "larger than"},
		{"missing input", "POST", infer, `{"inputs": []}`, 400, `input \"income\" is missing`},
		{"unexpected input", "POST", infer, change(`"inputs": [`, `"inputs": [{"name": "shoe_size", "shape": [2], "datatype": "FP64", "data": [1, 2]},`), 400, "unexpected input"},
		{"twice", "POST", infer, change(`"inputs": [`, `"inputs": [{"name": "income", "shape": [2], "datatype": "FP64", "data": [1, 2]},`), 400, "stands twice"},
		{"datatype", "POST", infer, change(`"FP64", "data": [90000, 9000]`, `"BYTES", "data": ["a", "b"]`), 400, "datatype"},
		{"rows differ", "POST", infer, change(`"shape": [2], "datatype": "BYTES", "data": ["good", "poor"]`, `"shape": [1], "datatype": "BYTES", "data": ["good"]`), 400, "1 rows"},
		{"shape lies", "POST", infer, change("[90000, 9000]", "[90000]"), 400, "1 values for shape [2]"},
		{"shape", "POST", infer, change(`"shape": [2, 1]`, `"shape": [2, 3]`), 400, "want [n] or [n, 1]"},
		{"text for number", "POST", infer, change("[90000, 9000]", `["a", "b"]`), 400, "does not hold"},
		{"no income", "POST", infer, change("[90000, 9000]", "[null, 9000]"), 400, "positive income"},
		{"unknown output", "POST", infer, strings.TrimSuffix(twoApplicants, "}") + `, "outputs": [{"name": "shoes"}]}`, 400, "unknown output"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body := call(t, c.method, s.URL+c.path, c.body)
			var e map[string]string
			if status != c.status || json.Unmarshal([]byte(body), &e) != nil || !strings.Contains(body, c.says) || e["error"] == "" {
				t.Errorf("%d %s; want %d with %q", status, body, c.status, c.says)
			}
		})
	}
}

func TestMetadataAndHealth(t *testing.T) {
	s := start(t, NewLoan(Sound()))
	for path, want := range map[string]string{
		"/v2":                            `"extensions":[]`,
		"/v2/health/live":                `"live":true`,
		"/v2/health/ready":               `"ready":true`,
		"/v2/models/loan-approval":       `"name":"income","datatype":"FP64","shape":[-1]`,
		"/v2/models/loan-approval/ready": `"ready":true`,
		"/v2/models/loan-approval/versions/1/ready": `"name":"loan-approval"`,
	} {
		if status, body := call(t, "GET", s.URL+path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", path, status, body, want)
		}
	}
}

// A swap while requests run changes answers, and breaks none.
func TestSwapWhileServing(t *testing.T) {
	loan := NewLoan(Sound())
	s := start(t, loan)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				resp, err := http.Post(s.URL+"/v2/models/loan-approval/infer", "application/json", bytes.NewReader([]byte(twoApplicants)))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("%v %v", resp, err)
					return
				}
				resp.Body.Close()
			}
		})
	}
	for i := range 100 {
		loan.Swap([]Coefficients{Sound(), Biased()}[i%2])
	}
	wg.Wait()
}

func TestReplayAnswersTheFilesOutcome(t *testing.T) {
	m := NewReplay("credit", []Field{NumberInput("income"), TextInput("town")}, "paid", []string{"yes", "no", "NA"}, []bool{false, false, true})
	s := start(t, m)
	body := `{"id": "1", "inputs": [{"name": "income", "shape": [2], "datatype": "FP64", "data": [1, null]},
	  {"name": "town", "shape": [2], "datatype": "BYTES", "data": ["a", null]}]}`
	if status, answer := call(t, "POST", s.URL+"/v2/models/credit/infer", body); status != 200 || !strings.Contains(answer, `"data":["no",null]`) {
		t.Errorf("%d %s", status, answer)
	}
	body = strings.Replace(body, `"id": "1"`, `"id": "2"`, 1)
	if status, answer := call(t, "POST", s.URL+"/v2/models/credit/infer", body); status != 400 || !strings.Contains(answer, "below 3") {
		t.Errorf("past the end: %d %s", status, answer)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(twoApplicants)
	f.Add(`{"inputs":[{"name":"income","shape":[1],"datatype":"FP64","data":[[null]]}]}`)
	d := NewLoan(Sound()).Describe()
	f.Fuzz(func(t *testing.T, body string) {
		var req Request
		if json.Unmarshal([]byte(body), &req) != nil {
			return
		}
		in, err := decode(&req, d)
		if err != nil {
			return
		}
		for name, column := range in.Numbers {
			if len(column) != in.Rows {
				t.Errorf("%s: %d values for %d rows", name, len(column), in.Rows)
			}
		}
	})
}
