package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// writeService is the command "service ROWS FILE" of the scripts: a CSV of what a
// model was asked and answered, in the order of time, with two inputs that move
// together, an embedding of three coordinates, a question, a probability, the
// decision by it, and how it turned out. The inputs drift slowly to and fro.
func writeService(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: service rows file.csv")
	}
	rows, err := strconv.Atoi(args[0])
	ts.Check(err)
	random := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("income,debt,vector.0,vector.1,vector.2,question,probability,approved,repaid\n")
	for i := range rows {
		level := random.NormFloat64() + math.Sin(float64(i)/50)
		p := 1 / (1 + math.Exp(-level))
		repaid, question := "0", strings.Repeat("kdy jede vlak ", 1+random.IntN(3))
		if random.Float64() < p {
			repaid = "1"
		}
		if i%10 == 9 {
			repaid = "" // not known yet
		}
		fmt.Fprintf(&text, "%.4f,%.4f,%.4f,%.4f,%.4f,%s,%.3f,%.0f,%s\n",
			3000+800*level, 500+100*level+20*random.NormFloat64(),
			random.NormFloat64(), random.NormFloat64(), random.NormFloat64(),
			question, p, math.Round(p), repaid)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o600))
}
