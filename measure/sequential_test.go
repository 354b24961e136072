package measure_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

func driftProcess(t rapid.TB, reference []uint64, o measure.DriftOptions) *measure.DriftProcess {
	t.Helper()
	p, err := measure.NewDriftProcess(reference, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func nextWindow(t rapid.TB, p *measure.DriftProcess, e measure.DriftEvidence, window []uint64) measure.DriftEvidence {
	t.Helper()
	e, err := p.Next(e, window)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A drift so large that the evidence leaves floating point still counts.
func TestDriftEvidenceBeyondFloatingPoint(t *testing.T) {
	p := driftProcess(t, []uint64{5000, 5000}, measure.DefaultDriftOptions())
	e := nextWindow(t, p, measure.DriftEvidence{}, []uint64{0, 1_000_000_000})
	estimate := e.Estimate()
	if estimate.Value != math.MaxFloat64 || estimate.Samples != 1_000_000_000 || estimate.Convention != measure.ConventionDriftEvidence {
		t.Errorf("%+v", estimate)
	}
	if alarm, err := e.Alarm(1e-9, 1000); err != nil || !alarm {
		t.Errorf("alarm %v, %v", alarm, err)
	}
}

// One window of one row, by hand: q is 1/2, and inside the ball the likeliest
// shares are those with KL(r || p) = rho.
func TestDriftEvidenceByHand(t *testing.T) {
	o := measure.DriftOptions{Tolerance: 0.5 * math.Log(1/(4*0.8*0.2)), Miss: 0.001, Deflation: 1}
	p := driftProcess(t, []uint64{1 << 40, 1 << 40}, o)
	if p.Radius() != o.Tolerance {
		t.Fatalf("radius %v", p.Radius())
	}
	if before := (measure.DriftEvidence{}); before.Estimate().Value != 1 {
		t.Errorf("A_0 is %v", before.Estimate().Value)
	}
	e := nextWindow(t, p, measure.DriftEvidence{}, []uint64{1, 0})
	near(t, "A_1", e.Estimate().Value, 0.5*(0.5/0.8)+0.5, 1e-12)
	e = nextWindow(t, p, e, []uint64{0, 0})
	near(t, "A_1 after a window without rows", e.Estimate().Value, 0.5*(0.5/0.8)+0.5, 1e-12)
	e = nextWindow(t, p, e, []uint64{0, 1}) // q = 1/2 (1/2) + 1/2 (0.5/2)
	near(t, "A_2", e.Estimate().Value, (0.375/0.8)*(0.3125+1./6)+1./3, 1e-12)
}

func TestDriftRadiusIsTheBaselines(t *testing.T) {
	reference := []uint64{1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000}
	o := measure.DriftOptions{Miss: 0.001, Deflation: 3}
	near(t, "radius", driftProcess(t, reference, o).Radius(), 3*25.16/10000, 3e-6)
}

// An evidence that is written down and read again goes on as if nothing had
// happened, to the last bit.
func TestDriftEvidenceResumes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, window := tables(t)
		if len(reference) < 2 {
			reference, window = append(reference, 1), append(window, 1)
		}
		p := driftProcess(t, reference, measure.DriftOptions{Tolerance: 0.001, Miss: 0.01, Deflation: rapid.Float64Range(1, 50).Draw(t, "phi")})
		var whole, resumed measure.DriftEvidence
		for range rapid.IntRange(1, 8).Draw(t, "windows") {
			window = rapid.Permutation(window).Draw(t, "window")
			before := append([]float64(nil), whole.Earlier...)
			after := nextWindow(t, p, whole, window)
			if len(before) > 0 && !reflect.DeepEqual(before, whole.Earlier) {
				t.Fatal("the caller's evidence was written to")
			}
			whole = after
			raw, err := json.Marshal(resumed)
			if err != nil {
				t.Fatal(err)
			}
			var stored measure.DriftEvidence
			if err := json.Unmarshal(raw, &stored); err != nil {
				t.Fatal(err)
			}
			resumed = nextWindow(t, p, stored, window)
		}
		if !reflect.DeepEqual(whole, resumed) {
			t.Fatalf("without a break %+v, with breaks %+v", whole, resumed)
		}
	})
}

// The names of the cells mean nothing.
func TestDriftEvidenceInAnotherOrderOfCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference, window := tables(t)
		if len(reference) < 2 {
			return
		}
		order := rapid.Permutation(indexes(len(reference))).Draw(t, "order")
		o := measure.DefaultDriftOptions()
		a, b := driftProcess(t, reference, o), driftProcess(t, permute(reference, order), o)
		var e, moved measure.DriftEvidence
		for range 3 {
			e, moved = nextWindow(t, a, e, window), nextWindow(t, b, moved, permute(window, order))
		}
		if math.Abs(e.Log()-moved.Log()) > 1e-6*(1+math.Abs(e.Log())) {
			t.Fatalf("log evidence %v, in another order %v", e.Log(), moved.Log())
		}
	})
}

// Of five features at 0.1 the limits are 50, 25, 16.7, 12.5 and 10: the third by
// evidence is below its own, and is picked all the same since the fourth is not.
func TestLikelyDrifted(t *testing.T) {
	features := make([]measure.DriftEvidence, 5)
	for i, evidence := range []float64{13, 1e300, 16, 0.5, 26} {
		features[i] = measure.DriftEvidence{Windows: 1e9, LogStarted: math.Log(evidence)}
	}
	picked, err := measure.LikelyDrifted(features, 0.1)
	if err != nil || !slices.Equal(picked, []int{0, 1, 2, 4}) {
		t.Errorf("%v, %v", picked, err)
	}
	if picked, err = measure.LikelyDrifted(features, 0.05); err != nil || !slices.Equal(picked, []int{1}) {
		t.Errorf("at 0.05: %v, %v", picked, err)
	}
	if picked, err = measure.LikelyDrifted(nil, 0.1); err != nil || len(picked) != 0 {
		t.Errorf("no features: %v, %v", picked, err)
	}
	if _, err = measure.LikelyDrifted(features, math.NaN()); !errors.Is(err, measure.ErrUndefined) {
		t.Errorf("alpha NaN: %v", err)
	}
}

func TestDriftProcessUndefined(t *testing.T) {
	good := measure.DefaultDriftOptions()
	process := func(reference []uint64, change func(*measure.DriftOptions)) error {
		o := good
		change(&o)
		_, err := measure.NewDriftProcess(reference, o)
		return err
	}
	same := func(*measure.DriftOptions) {}
	p := driftProcess(t, []uint64{10, 20}, good)
	step := func(e measure.DriftEvidence, window ...uint64) error {
		_, err := p.Next(e, window)
		return err
	}
	alarm := func(alpha float64, features int) error {
		_, err := measure.DriftEvidence{}.Alarm(alpha, features)
		return err
	}
	phi := func(windows ...[]uint64) error {
		_, err := measure.Deflation(windows)
		return err
	}
	for what, err := range map[string]error{
		"one cell":                 process([]uint64{10}, same),
		"empty baseline":           process([]uint64{0, 0}, same),
		"baseline overflow":        process([]uint64{math.MaxUint64, 1}, same),
		"negative tolerance":       process([]uint64{1, 1}, func(o *measure.DriftOptions) { o.Tolerance = -1 }),
		"tolerance NaN":            process([]uint64{1, 1}, func(o *measure.DriftOptions) { o.Tolerance = math.NaN() }),
		"no miss":                  process([]uint64{1, 1}, func(o *measure.DriftOptions) { o.Miss = 0 }),
		"deflation below 1":        process([]uint64{1, 1}, func(o *measure.DriftOptions) { o.Deflation = 0.5 }),
		"deflation infinite":       process([]uint64{1, 1}, func(o *measure.DriftOptions) { o.Deflation = math.Inf(1) }),
		"other cells":              step(measure.DriftEvidence{}, 1, 2, 3),
		"window overflow":          step(measure.DriftEvidence{}, math.MaxUint64, 1),
		"window too large":         step(measure.DriftEvidence{}, 1<<41, 0),
		"evidence of other cells":  step(measure.DriftEvidence{Windows: 1, Earlier: []float64{1}}, 1, 2),
		"evidence of no window":    step(measure.DriftEvidence{Earlier: []float64{1, 2}}, 1, 2),
		"evidence of no end":       step(measure.DriftEvidence{Windows: 1, Rows: math.MaxUint64, Earlier: []float64{1, 2}}, 1, 2),
		"evidence NaN":             step(measure.DriftEvidence{Windows: 1, LogStarted: math.NaN(), Earlier: []float64{1, 2}}, 1, 2),
		"negative earlier count":   step(measure.DriftEvidence{Windows: 1, Earlier: []float64{1, -2}}, 1, 2),
		"alarm, alpha 0":           alarm(0, 1),
		"alarm, alpha NaN":         alarm(math.NaN(), 1),
		"alarm, no features":       alarm(0.05, 0),
		"deflation, no windows":    phi(),
		"deflation, one window":    phi([]uint64{1, 2}, []uint64{0, 0}),
		"deflation, one cell":      phi([]uint64{1, 0}, []uint64{5, 0}),
		"deflation, ragged tables": phi([]uint64{1, 2}, []uint64{5}),
	} {
		if !errors.Is(err, measure.ErrUndefined) {
			t.Errorf("%s: got %v, want undefined", what, err)
		}
	}
}

// Twice as much spread in shares between windows of n rows than independent
// rows have: Pearson's statistic by hand.
func TestDeflationByHand(t *testing.T) {
	phi, err := measure.Deflation([][]uint64{{60, 40, 0}, {40, 60, 0}, {0, 0, 0}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "phi", phi, 4*100./50, 1e-12)
	phi, err = measure.Deflation([][]uint64{{50, 50}, {50, 50}})
	if err != nil || phi != 1 {
		t.Errorf("phi of equal windows %v, %v", phi, err)
	}
}

func FuzzDriftProcess(f *testing.F) {
	f.Add([]byte{10, 10}, []byte{1, 2}, uint64(1), 0.0, 0.001, 1.0)
	f.Add([]byte{0, 255, 1}, []byte{9, 0, 0}, uint64(math.MaxUint32), 1e-300, 0.999, 1e300)
	f.Fuzz(func(t *testing.T, reference, window []byte, factor uint64, tolerance, miss, phi float64) {
		r, c := make([]uint64, len(reference)), make([]uint64, len(window))
		for i, b := range reference {
			r[i] = uint64(b)
		}
		for i, b := range window {
			c[i] = uint64(b) * factor
		}
		p, err := measure.NewDriftProcess(r, measure.DriftOptions{Tolerance: tolerance, Miss: miss, Deflation: phi})
		if err != nil {
			sound(t, "process", measure.Estimate{}, err)
			return
		}
		var e measure.DriftEvidence
		for range 3 {
			if e, err = p.Next(e, c); err != nil {
				break
			}
		}
		sound(t, "evidence", e.Estimate(), err)
	})
}

func BenchmarkDriftProcess(b *testing.B) {
	reference, window := make([]uint64, 11), make([]uint64, 11)
	for i := range reference {
		reference[i], window[i] = 1000, uint64(80+i*4)
	}
	p := driftProcess(b, reference, measure.DefaultDriftOptions())
	e := nextWindow(b, p, measure.DriftEvidence{}, window)
	b.ReportAllocs()
	for b.Loop() {
		nextWindow(b, p, e, window)
	}
}
