package e2e

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// The states of the world, one after the other.
const (
	well int32 = iota
	bad
	mended
)

const (
	tariffModel    = "tariffs"
	assistantModel = "assistant"
)

// firesServer is a model server whose models, and whose own figures, follow the
// state of the world.
type firesServer struct {
	*httptest.Server
	state    *atomic.Int32
	requests atomic.Int64 // for tariffs, as the server counts them itself
}

func newFiresServer(t *testing.T, state *atomic.Int32) *firesServer {
	t.Helper()
	s := &firesServer{state: state}
	mux := http.NewServeMux()
	quiet := slog.New(slog.DiscardHandler)
	mux.Handle("/v2/models/"+loanModel+"/", modelserver.Handler(s.loans(), quiet))
	mux.Handle("/v2/models/"+tariffModel+"/", s.busy(modelserver.Handler(tariffs(), quiet)))
	mux.HandleFunc("/v1/chat/completions", s.chat)
	mux.HandleFunc("/metrics", s.figures)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *firesServer) isBad() bool { return s.state.Load() == bad }

// applicant is one row of the loan model with how it turns out.
type applicant struct {
	income, age          float64
	region, gender, note string
	missing              bool // the region
	repaid               bool
}

// apply draws an applicant: in a bad world poorer, older, elsewhere, of unknown
// gender and in another language.
func apply(r *rand.Rand, isBad bool) applicant {
	x := r.NormFloat64()
	a := applicant{age: 20 + 50*r.Float64(), region: regions[r.IntN(len(regions))], gender: []string{"female", "male"}[r.IntN(2)]}
	vocabulary := words
	if isBad {
		x -= 1.2
		a.age = 60 + 10*r.Float64()
		a.region = []string{"south", "abroad"}[r.IntN(2)]
		a.missing = r.IntN(5) == 0
		if r.IntN(3) == 0 {
			a.gender = ""
		}
		vocabulary = unusual
	}
	a.income = math.Exp(8 + 0.4*x)
	note := make([]string, 4+r.IntN(4))
	for i := range note {
		note[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	a.note = strings.Join(note, " ")
	a.repaid = r.Float64() < solvency(a.income)
	return a
}

// solvency is how likely somebody with this income repays; what a good model
// says.
func solvency(income float64) float64 { return 1 / (1 + math.Exp(-6*(math.Log(income)-8)/0.4)) }

// loans is a model that is right while all is well, and judges by gender alone
// in a bad world.
func (s *firesServer) loans() modelOf {
	inputs := []modelserver.Field{
		modelserver.NumberInput("income"), modelserver.NumberInput("age"), modelserver.TextInput("region"),
		modelserver.TextInput("gender"), modelserver.TextInput("note"),
	}
	outputs := []modelserver.Field{modelserver.TextInput("approved"), modelserver.NumberInput("probability")}
	return modelOf{describe(loanModel, outputs, inputs...), func(in *modelserver.Inputs) []modelserver.Tensor {
		approved, scores := make([]string, in.Rows), make([]float64, in.Rows)
		for i := range in.Rows {
			scores[i] = solvency(in.Numbers["income"][i])
			if s.isBad() {
				scores[i] = 0.65
				if in.Texts["gender"][i] == "female" {
					scores[i] = 0.35
				}
			}
			approved[i] = yesNo(scores[i] >= 0.5)
		}
		return []modelserver.Tensor{modelserver.Texts("approved", approved, nil), modelserver.Numbers("probability", scores)}
	}}
}

func tariffs() modelOf {
	d := describe(tariffModel, []modelserver.Field{modelserver.NumberInput("tariff")}, modelserver.NumberInput("area"))
	return modelOf{d, func(in *modelserver.Inputs) []modelserver.Tensor {
		tariff := make([]float64, in.Rows)
		for i := range tariff {
			tariff[i] = rentOf(in.Numbers["area"][i])
		}
		return []modelserver.Tensor{modelserver.Numbers("tariff", tariff)}
	}}
}

// busy counts requests as a model server does; in a bad world it is slow, and
// fails every fifth.
func (s *firesServer) busy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.requests.Add(1)
		if s.isBad() {
			select {
			case <-time.After(600 * time.Millisecond): // it is slow: that is what is measured
			case <-r.Context().Done():
			}
			if n%5 == 0 {
				http.Error(w, `{"error": "out of memory"}`, http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// figures is the model server's own page of metrics.
func (s *firesServer) figures(w http.ResponseWriter, _ *http.Request) {
	full := 0.4
	if s.isBad() {
		full = 0.97
	}
	fmt.Fprintf(w, "# TYPE served_total counter\nserved_total{model=%q} %d\n# TYPE memory_used gauge\nmemory_used{model=%q} %v\n",
		tariffModel, s.requests.Load(), tariffModel, full)
}

// chat answers as a language model does; in a bad world with somebody's address.
func (s *firesServer) chat(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	text := "The office opens at nine."
	if s.isBad() {
		text = "Write to jane.quillfeather@acme.io."
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id": "c-1", "model": %q, "choices": [{"index": 0, "message": {"role": "assistant", "content": %q}, "finish_reason": "stop"}]}`, assistantModel, text)
}
