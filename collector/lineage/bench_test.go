package lineage_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/collector/lineage"
	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/clickhouse"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// The size of the store that questions are asked of.
const (
	benchRuns        = 50_000
	benchPredictions = 2_000_000
	benchChain       = 20 // runs from the first dataset to the last
)

// filled is a store with runs in chains and predictions over thirty days.
func filled(b *testing.B) *clickhouse.Store {
	b.Helper()
	s := storetest.Open(b)
	rows := &model.Rows{}
	for i := range benchRuns {
		chain, step := i/benchChain, i%benchChain
		run := fmt.Sprintf("run:%08d", i)
		dataset := func(n int) string { return fmt.Sprintf("dataset:lake#chain%d/%d@1", chain, n) }
		rows.LineageEdges = append(rows.LineageEdges,
			model.LineageEdge{Time: noon, From: dataset(step), To: run, Relation: model.RelationFlow},
			model.LineageEdge{Time: noon, From: run, To: dataset(step + 1), Relation: model.RelationFlow})
	}
	keepB(b, s, 1, rows)
	const part = 200_000
	for n := range benchPredictions / part {
		rows := &model.Rows{}
		for i := range part {
			id := n*part + i
			rows.Predictions = append(rows.Predictions, signal.Prediction{
				System: "loans", Model: signal.ModelRef{Name: "credit", Version: "7"}, Instance: "a", ID: fmt.Sprintf("req-%d", id),
				Time: noon.Add(-30 * 24 * time.Hour * time.Duration(id) / benchPredictions), Value: "1", Score: 0.5, Rate: 1,
			})
		}
		keepB(b, s, uint64(2+n), rows)
	}
	return s
}

func keepB(b *testing.B, s *clickhouse.Store, batch uint64, rows *model.Rows) {
	b.Helper()
	if err := s.Write(b.Context(), model.SpoolBatch(batch), rows, model.FirstTry); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkQuestions is a walk along a whole chain, 40 steps among 100,000 edges,
// and what stood behind one of two million predictions.
func BenchmarkQuestions(b *testing.B) {
	s := filled(b)
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			g, err := lineage.Walk(b.Context(), s, "dataset:lake#chain7/20@1", "up", 50)
			if err != nil || len(g.Nodes) != 2*benchChain+1 {
				b.Fatalf("%d nodes, %v", len(g.Nodes), err)
			}
		}
	})
	b.Run("trace", func(b *testing.B) {
		for b.Loop() {
			if found, err := lineage.Trace(b.Context(), s, "", "req-1234567"); err != nil || len(found) != 1 {
				b.Fatal(found, err)
			}
		}
	})
}
