package e2e

import (
	"encoding/csv"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/demo/modelserver"
)

// The three kinds of model that are told apart: a decision with a score, a
// regression, and a choice among classes.
const (
	loanModel  = "loans"
	rentModel  = "rents"
	topicModel = "topics"
)

const coordinates = 6 // of the embedding

// person is one row of the loan model, with how it turns out.
type person struct {
	income, age    float64
	region, gender string
	note           string
	vector         [coordinates]float64
	probability    float64
	approved       bool
	repaid         bool
}

// population draws people. After a drift incomes fall, notes are in another
// language, and embeddings point elsewhere.
type population struct {
	random  *rand.Rand
	drifted bool
}

func newPopulation(seed uint64) *population {
	return &population{random: rand.New(rand.NewPCG(seed, 7))}
}

var (
	regions = []string{"north", "south", "east", "west"}
	words   = []string{"please", "see", "the", "attached", "statement", "for", "my", "new", "kitchen", "car"}
	unusual = []string{"bitte", "öffnen", "Sie", "die", "Anlage", "für", "mein", "neues", "Küchenauto", "123!!"}
)

func (p *population) person() person {
	r := p.random
	x := person{
		income: math.Exp(8 + 0.4*r.NormFloat64()), age: float64(20 + r.IntN(50)),
		region: regions[r.IntN(len(regions))], gender: []string{"female", "male"}[r.IntN(2)],
	}
	vocabulary := words
	if p.drifted {
		x.income *= 0.6
		vocabulary = unusual
	}
	if r.IntN(40) == 0 {
		x.gender = "diverse"
	}
	note := make([]string, 3+r.IntN(5))
	for i := range note {
		note[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	x.note = strings.Join(note, " ")
	common := r.NormFloat64()
	for i := range x.vector {
		x.vector[i] = 0.7*common + 0.5*r.NormFloat64()
		if p.drifted {
			x.vector[i] += 1.5
		}
	}
	x.probability = probability(x.income, x.age, x.gender)
	x.approved = x.probability >= 0.5
	x.repaid = r.Float64() < math.Sqrt(x.probability) // the model is too strict
	return x
}

func probability(income, age float64, gender string) float64 {
	z := 1.5*(math.Log(income)-8) + 0.02*(age-45)
	if gender == "female" {
		z -= 0.8
	}
	return 1 / (1 + math.Exp(-z))
}

// modelOf is a model that answers by a function.
type modelOf struct {
	description modelserver.Description
	infer       func(in *modelserver.Inputs) []modelserver.Tensor
}

func (m modelOf) Describe() modelserver.Description { return m.description }

func (m modelOf) Infer(in *modelserver.Inputs) ([]modelserver.Tensor, error) { return m.infer(in), nil }

func describe(name string, outputs []modelserver.Field, inputs ...modelserver.Field) modelserver.Description {
	return modelserver.Description{Name: name, Versions: []string{"1"}, Platform: "test", Inputs: inputs, Outputs: outputs}
}

func loans() modelOf {
	inputs := []modelserver.Field{
		modelserver.NumberInput("income"), modelserver.NumberInput("age"), modelserver.TextInput("region"),
		modelserver.TextInput("gender"), modelserver.TextInput("note"),
	}
	for i := range coordinates {
		inputs = append(inputs, modelserver.NumberInput(coordinate(i)))
	}
	outputs := []modelserver.Field{modelserver.TextInput("approved"), modelserver.NumberInput("probability")}
	return modelOf{describe(loanModel, outputs, inputs...), func(in *modelserver.Inputs) []modelserver.Tensor {
		approved, scores := make([]string, in.Rows), make([]float64, in.Rows)
		for i := range in.Rows {
			scores[i] = probability(in.Numbers["income"][i], in.Numbers["age"][i], in.Texts["gender"][i])
			approved[i] = yesNo(scores[i] >= 0.5)
		}
		return []modelserver.Tensor{modelserver.Texts("approved", approved, nil), modelserver.Numbers("probability", scores)}
	}}
}

func rents() modelOf {
	d := describe(rentModel, []modelserver.Field{modelserver.NumberInput("rent")}, modelserver.NumberInput("area"), modelserver.NumberInput("floor"))
	return modelOf{d, func(in *modelserver.Inputs) []modelserver.Tensor {
		rent := make([]float64, in.Rows)
		for i := range rent {
			rent[i] = rentOf(in.Numbers["area"][i])
		}
		return []modelserver.Tensor{modelserver.Numbers("rent", rent)}
	}}
}

func rentOf(area float64) float64 { return math.Round(12 * area) }

func topics() modelOf {
	d := describe(topicModel, []modelserver.Field{modelserver.TextInput("topic")}, modelserver.NumberInput("length"))
	return modelOf{d, func(in *modelserver.Inputs) []modelserver.Tensor {
		topic := make([]string, in.Rows)
		for i := range topic {
			topic[i] = topicOf(in.Numbers["length"][i])
		}
		return []modelserver.Tensor{modelserver.Texts("topic", topic, nil)}
	}}
}

func topicOf(length float64) string {
	return []string{"billing", "delivery", "other"}[int(length)/10%3]
}

func coordinate(i int) string { return fmt.Sprintf("v.%d", i) }

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

// newModelServer serves the three models by the Open Inference Protocol.
func newModelServer(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	for _, m := range []modelOf{loans(), rents(), topics()} {
		handler := modelserver.Handler(m, slog.New(slog.DiscardHandler))
		mux.Handle("/v2/models/"+m.description.Name+"/", handler)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// writeReference writes the reference data of the three models as CSV.
func writeReference(t *testing.T, folder string) (loan, rent, topic string) {
	t.Helper()
	people := newPopulation(1)
	header := []string{"income", "age", "region", "gender", "note"}
	for i := range coordinates {
		header = append(header, coordinate(i))
	}
	table := [][]string{append(header, "approved", "probability", "repaid")}
	for range 6000 {
		p := people.person()
		row := []string{number(p.income), number(p.age), p.region, p.gender, p.note}
		for _, v := range p.vector {
			row = append(row, number(v))
		}
		table = append(table, append(row, yesNo(p.approved), number(p.probability), yesNo(p.repaid)))
	}
	loan = writeCSV(t, folder, "loans.csv", table)
	table = [][]string{{"area", "floor", "rent"}}
	for i := range 2000 {
		area := 30 + 90*people.random.Float64()
		table = append(table, []string{number(area), strconv.Itoa(i % 5), number(rentOf(area))})
	}
	rent = writeCSV(t, folder, "rents.csv", table)
	table = [][]string{{"length", "topic"}}
	for range 2000 {
		length := math.Floor(90 * people.random.Float64())
		table = append(table, []string{number(length), topicOf(length)})
	}
	return loan, rent, writeCSV(t, folder, "topics.csv", table)
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func writeCSV(t *testing.T, folder, name string, table [][]string) string {
	t.Helper()
	path := folder + "/" + name
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := csv.NewWriter(f)
	if err := w.WriteAll(table); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
