package clickhouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/evenkeel/evenkeel/collector/model"
	"github.com/evenkeel/evenkeel/collector/store/storetest"
	"github.com/evenkeel/evenkeel/signal"
)

// requestIDs gives random UUIDs, always the same ones.
func requestIDs(n int) []string {
	source := rand.NewChaCha8([32]byte{1})
	out := make([]string, n)
	for i := range out {
		out[i] = uuid.Must(uuid.NewRandomFromReader(source)).String()
	}
	return out
}

func benchPredictions(ids []string, from time.Time, apart time.Duration) *model.Rows {
	rows := &model.Rows{}
	for i, id := range ids {
		p := prediction(id, 0, from.Add(time.Duration(i+1)*apart))
		p.Score, p.TraceID = float64(i%1000)/1000, ""
		rows.Predictions = append(rows.Predictions, p)
	}
	return rows
}

func benchLabels(ids []string, from time.Time, apart time.Duration) *model.Rows {
	rows := &model.Rows{}
	for i, id := range ids {
		at := from.Add(time.Duration(i+1) * apart)
		rows.Labels = append(rows.Labels, signal.Label{System: "loans", ID: id, Value: "approved", Time: at, Source: "desk", Received: at})
	}
	return rows
}

// BenchmarkWritePredictions stores batches of 50,000 predictions and of as many
// labels.
func BenchmarkWritePredictions(b *testing.B) {
	ids := requestIDs(benchRows)
	for name, rows := range map[string]*model.Rows{
		"predictions": benchPredictions(ids, noon, time.Millisecond), "labels": benchLabels(ids, noon, time.Millisecond),
	} {
		b.Run(name, func(b *testing.B) {
			s := storetest.Open(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				write(b, s, model.SpoolBatch(uint64(i+1)), rows, model.FirstTry)
			}
			b.ReportMetric(float64(benchRows*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkLabelledPredictions joins slots of a day of two million predictions,
// in the middle of it, with its labels: random ids, as many labels as
// predictions, received an hour later.
func BenchmarkLabelledPredictions(b *testing.B) {
	const rows, batch, apart = 2_000_000, 100_000, 40 * time.Millisecond // 22 h 13 min
	s := storetest.Open(b)
	ids := requestIDs(rows)
	begin := noon.Add(-12 * time.Hour)
	for i := 0; i < rows; i += batch {
		after := time.Duration(i) * apart
		all := benchPredictions(ids[i:i+batch], begin.Add(after), apart)
		all.Labels = benchLabels(ids[i:i+batch], begin.Add(after+time.Hour), apart).Labels
		write(b, s, model.SpoolBatch(uint64(i+1)), all, model.FirstTry)
	}
	lane := signal.ModelRef{Name: "loan", Version: "1"}
	for _, slot := range []time.Duration{10 * time.Second, 5 * time.Minute, time.Hour} {
		b.Run(fmt.Sprint(slot), func(b *testing.B) {
			want := int(slot / apart)
			b.ReportAllocs()
			for b.Loop() {
				n, labelled := 0, 0
				err := s.LabelledPredictions(b.Context(), "loans", lane, noon, noon.Add(slot), noon.Add(day), func(p *signal.LabelledPrediction) error {
					n++
					if p.Label != nil {
						labelled++
					}
					return nil
				})
				if err != nil || n != want || labelled != want {
					b.Fatalf("%d predictions, %d labelled of %d: %v", n, labelled, want, err)
				}
			}
			b.ReportMetric(float64(want*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
	b.Run("lanes of the day", func(b *testing.B) {
		for b.Loop() {
			if lanes, err := s.PredictedLanes(b.Context(), begin, begin.Add(day)); err != nil || len(lanes) != 1 {
				b.Fatalf("%v, %v", lanes, err)
			}
		}
	})
}

// BenchmarkLongCohort joins pieces of a cohort of 30 days, a million predictions
// with as many labels of random ids: of an hour, as fleet once asked, and of a
// 24th, as it does. What a piece costs is to look for its labels among all.
func BenchmarkLongCohort(b *testing.B) {
	const rows, batch, days = 1_000_000, 50_000, 30
	const apart = days * day / rows
	s := storetest.Open(b)
	ids := requestIDs(rows)
	begin := noon.Add(-days * day)
	for i := 0; i < rows; i += batch {
		after := time.Duration(i) * apart
		all := benchPredictions(ids[i:i+batch], begin.Add(after), apart)
		all.Labels = benchLabels(ids[i:i+batch], begin.Add(after+time.Hour), apart).Labels
		write(b, s, model.SpoolBatch(uint64(i+1)), all, model.FirstTry)
	}
	lane := signal.ModelRef{Name: "loan", Version: "1"}
	for _, piece := range []time.Duration{time.Hour, days * day / 24} {
		b.Run(fmt.Sprint(piece), func(b *testing.B) {
			n, from := 0, begin
			for b.Loop() {
				err := s.LabelledPredictions(b.Context(), "loans", lane, from, from.Add(piece), noon.Add(day), func(*signal.LabelledPrediction) error {
					n++
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				if from = from.Add(piece); !from.Before(noon) {
					from = begin
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
