package window

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/signal"
)

// BenchmarkValue is the cost of one value on the numeric path of 40 cells:
// cell, count, moments, range. ratio sets it against a bare binary search over
// the same edges and values in the same run, both at their fastest, since other
// work on the machine only ever adds time.
func BenchmarkValue(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	f := signal.FeatureBaseline{Name: "x", Target: signal.TargetFeature, Kind: signal.Numeric, Counts: make([]uint64, 40), Min: -4, Max: 4, N: 1}
	for range 39 {
		f.Grid = append(f.Grid, r.NormFloat64())
	}
	slices.Sort(f.Grid)
	c, err := newColumn(&f)
	if err != nil {
		b.Fatal(err)
	}
	xs := make([]float64, 8192)
	for i := range xs {
		xs[i] = r.NormFloat64()
	}
	bare, full := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	cells := make([]uint64, 40)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		for _, x := range xs {
			cells[sort.SearchFloat64s(f.Grid, x)]++
		}
		middle := time.Now()
		c.addNumbers(xs)
		bare, full = min(bare, middle.Sub(start)), min(full, time.Since(middle))
	}
	if c.counts[7] != cells[7] {
		b.Fatalf("cell 7 holds %d and %d", c.counts[7], cells[7])
	}
	b.ReportMetric(float64(full)/float64(bare), "ratio")
	b.ReportMetric(float64(full.Nanoseconds())/float64(len(xs)), "ns/value")
}

// BenchmarkObserve is a whole observation of one row and of a thousand rows.
func BenchmarkObserve(b *testing.B) {
	for name, rows := range map[string]int{"1row": 1, "1000rows": 1000} {
		b.Run(name, func(b *testing.B) {
			p := profiler(b, options(b, func(*Closed) {}))
			obs := manyApplicants(rows)
			b.ReportAllocs()
			for b.Loop() {
				p.Observe(obs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}

func manyApplicants(rows int) *signal.Observation {
	r := rand.New(rand.NewPCG(3, 4))
	obs := &signal.Observation{Model: signal.ModelRef{Name: "loans", Version: "1"}, Rows: rows}
	income, gender, approved := make([]float64, rows), make([]string, rows), make([]float64, rows)
	for i := range rows {
		income[i] = r.Float64() * 40
		gender[i] = []string{"male", "female"}[r.IntN(2)]
		approved[i] = float64(r.IntN(2))
	}
	obs.Columns = []signal.Column{
		{Name: "income", Target: signal.TargetFeature, Numbers: income},
		{Name: "gender", Target: signal.TargetFeature, Strings: gender},
		{Name: "approved", Target: signal.TargetPrediction, Numbers: approved},
	}
	return obs
}

// BenchmarkDerived is what each derivation costs beyond the columns, for one row:
// a joint set of 20 columns on 8 axes with 64 frequencies, a letter of about 200
// code points with 64 cells of trigrams, a row of 20 numbers hashed, a score
// calibrated, and an answer watched by both change detectors.
func BenchmarkDerived(b *testing.B) {
	const rows = 1000
	sample, baseline := wide(b, rows)
	o := options(b, func(*Closed) {})
	o.Baseline, o.Outcome, o.Protected = baseline, Outcome{}, nil
	p := profiler(b, o)
	p.attend(&sample.Observation)
	for name, wanted := range map[string]func(derivation) bool{
		"joint":    func(d derivation) bool { _, ok := d.(*jointCount); return ok },
		"text":     func(d derivation) bool { _, ok := d.(*textCount); return ok },
		"rows":     func(d derivation) bool { _, ok := d.(*rowSketch); return ok },
		"estimate": func(d derivation) bool { _, ok := d.(*estimate); return ok },
		"changes":  func(d derivation) bool { w, ok := d.(*changeWatch); return ok && w.feature == "score" },
	} {
		b.Run(name, func(b *testing.B) {
			i := slices.IndexFunc(p.derived, wanted)
			if i < 0 {
				b.Fatal("no such derivation")
			}
			d := p.derived[i]
			b.ReportAllocs()
			d.add(0, rows) // takes what it goes on using
			for b.Loop() {
				d.add(0, rows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
		})
	}
}

// BenchmarkObserveAll is one request of one row of all that, columns included.
func BenchmarkObserveAll(b *testing.B) {
	_, baseline := wide(b, 1000)
	sample := wideRows(rand.New(rand.NewPCG(9, 10)), 1)
	o := options(b, func(*Closed) {})
	o.Baseline, o.Outcome = baseline, Outcome{}
	p := profiler(b, o)
	p.Observe(&sample.Observation)
	b.ReportAllocs()
	for b.Loop() {
		p.Observe(&sample.Observation)
	}
}

// wideRows are rows of the clerk's with twenty numbers and a longer letter.
func wideRows(r *rand.Rand, rows int) *clerkSample {
	s := clerkRows(r, rows)
	for j := range 20 {
		c := signal.Column{Name: signal.FeatureName("x" + strconv.Itoa(j)), Target: signal.TargetFeature}
		for range rows {
			c.Numbers = append(c.Numbers, r.NormFloat64())
		}
		s.Columns = append(s.Columns, c)
	}
	letter := s.column("letter").Strings
	for i := range letter {
		for len(letter[i]) < 200 {
			letter[i] += " " + letters[r.IntN(len(letters))]
		}
	}
	return s
}

func wide(b *testing.B, rows int) (*clerkSample, *signal.Baseline) {
	sample := wideRows(rand.New(rand.NewPCG(7, 8)), rows)
	columns := slices.Clone(sample.Columns[9:])
	approved, score := *sample.column("approved"), *sample.column("score")
	label := signal.Column{Name: "repaid", Numbers: sample.repaid}
	limit := 0.5
	baseline, err := signal.BuildBaseline(append(columns, approved, score), signal.BuildOptions{
		Outcome: &approved, Favourable: signal.Favourable{AtLeast: &limit}, Score: "score", Label: &label,
		Joint: []signal.JointColumns{{Name: "all", Target: signal.TargetMultivariate, Columns: columns, Axes: 8, Frequencies: 64}},
		Texts: []signal.TextColumn{{Column: *sample.column("letter"), Trigrams: 64}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return sample, baseline
}
