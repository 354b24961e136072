package signal

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/measure"
)

// jointWindow counts rows of a joint set's columns as an agent does: row by row
// through its reader.
func jointWindow(t rapid.TB, b *Baseline, columns []Column) []*Distribution {
	t.Helper()
	j := &b.Joint[0]
	reader, err := j.Reader()
	if err != nil {
		t.Fatal(err)
	}
	var of []*Column
	for i := range columns {
		of = append(of, &columns[i])
	}
	parts := make([]*Distribution, j.Slices())
	for k := range parts {
		f := b.Feature(j.Target, j.Slice(k))
		bounds, err := f.Bounds()
		if err != nil {
			t.Fatal(err)
		}
		parts[k] = &Distribution{Target: j.Target, Feature: f.Name, Kind: Numeric, Bounds: bounds, Baseline: "sha256:0123456789abcdef", Counts: make([]uint64, len(f.Counts)), Min: math.NaN(), Max: math.NaN()}
	}
	sums := &Distribution{Target: j.Target, Feature: j.Name, Kind: Sums, Baseline: "sha256:0123456789abcdef", Counts: []uint64{0}, Embedded: make([]float64, reader.Embedded())}
	if j.Kernel != nil {
		if sums.Bounds, err = j.KernelBounds(); err != nil {
			t.Fatal(err)
		}
	}
	row, slices := make([]float64, len(columns)), make([]float64, j.Slices())
	for i := range columns[0].rows() {
		complete := reader.Read(of, i, row) && reader.Project(row, slices)
		if complete && reader.Embed(row, sums.Embedded) {
			sums.Counts[0]++
		} else {
			sums.Missing++
		}
		sums.N++
		for k, d := range parts {
			d.N++
			if !complete {
				d.Missing++
				continue
			}
			d.Counts[measure.Grid(b.Feature(j.Target, d.Feature).Grid).Index(slices[k])]++
			d.Sum += slices[k]
			d.SumSquares += slices[k] * slices[k]
			d.Min, d.Max = minIgnoringNaN(d.Min, slices[k]), -minIgnoringNaN(-d.Max, -slices[k])
		}
	}
	return append(parts, sums)
}

// inputsOf draws a window of the service's inputs.
func inputsOf(seed uint64, n int) []Column {
	columns, _ := service(seed, n)
	return columns[:4]
}

// Columns that come apart, each of them as it was: no column drifts, and all the
// joint scores exceed the limits that the baseline's own windows gave.
func TestJointDriftsSeeABrokenCorrelation(t *testing.T) {
	columns, o := service(10, 8000)
	o.Windows = 40
	b := mustBuild(t, columns, o)
	apart := inputsOf(11, 500)
	random := rand.New(rand.NewPCG(1, 1))
	for _, k := range []int{1, 3} {
		random.Shuffle(500, func(i, j int) {
			x := apart[k].Numbers
			x[i], x[j] = x[j], x[i]
		})
	}
	found := b.JointDrifts(jointWindow(t, b, apart))
	if len(found) != 6 {
		t.Fatalf("%+v", found)
	}
	for i := 0; i < 6; i += 2 {
		score, limit := found[i], found[i+1]
		if score.Metric != MetricDriftScore || limit.Metric != MetricDriftLimit || !slices.Equal(score.Dimensions, limit.Dimensions) ||
			score.Estimate.Convention == "" || score.Estimate.Convention != limit.Estimate.Convention {
			t.Errorf("%+v, %+v", score, limit)
		}
		if score.Dimension(KeyFeatureName) != "inputs" || score.Dimension(KeyDriftTarget) != "multivariate" || score.Dimension(KeyBaselineID) != "0123456789ab" {
			t.Errorf("%+v", score.Dimensions)
		}
		if score.Estimate.Value < 1.1*limit.Estimate.Value {
			t.Errorf("%s: %v at a limit of %v", score.Dimension(KeyDriftMethod), score.Estimate.Value, limit.Estimate.Value)
		}
	}
	for k, c := range apart {
		f := b.Feature(TargetFeature, c.Name)
		if e, err := f.PSI(f.count(&apart[k], 0, 500)); err != nil || e.Value > 0.1 {
			t.Errorf("%s alone: %v, %v", c.Name, e.Value, err)
		}
	}
}

func TestJointDriftsLeaveOutWhatIsNotThere(t *testing.T) {
	columns, o := service(12, 3000)
	o.Windows = 20
	b := mustBuild(t, columns, o)
	parts := jointWindow(t, b, inputsOf(13, 400))
	count := func(parts []*Distribution) (scores, limits int) {
		for _, q := range b.JointDrifts(parts) {
			if q.Metric == MetricDriftLimit {
				limits++
			} else {
				scores++
			}
		}
		return scores, limits
	}
	other := *parts[0]
	other.Bounds = "sha256:other"
	for name, c := range map[string]struct {
		parts          []*Distribution
		scores, limits int
	}{
		"everything":      {parts, 3, 3},
		"a slice lacks":   {parts[1:], 1, 1},
		"no sums":         {parts[:4], 2, 2},
		"other bounds":    {append([]*Distribution{&other}, parts[1:]...), 1, 1},
		"other and right": {append([]*Distribution{&other}, parts...), 3, 3},
		"a small window":  {jointWindow(t, b, inputsOf(14, 40)), 3, 0},
		"no rows":         {jointWindow(t, b, []Column{{Numbers: []float64{}}, {}, {}, {}}), 0, 0},
		"nothing":         {nil, 0, 0},
	} {
		if scores, limits := count(c.parts); scores != c.scores || limits != c.limits {
			t.Errorf("%s: %d scores and %d limits, want %d and %d", name, scores, limits, c.scores, c.limits)
		}
	}
}

// The baseline's own rows, put through the reader that an agent has, are no drift
// at all where they are those that were counted: sums and cells are equal.
func TestWindowsWithoutAreTheBaselineLessOne(t *testing.T) {
	columns, o := service(15, 600)
	o.Windows = 3
	j := o.Joint[0]
	b := &builder{Baseline: &Baseline{Rows: 600}, o: o}
	f := newJointFit(pointers(j.Columns), 600)
	set := &JointBaseline{Name: j.Name, Target: j.Target}
	for _, c := range columns[:4] {
		set.Columns = append(set.Columns, c.Name)
	}
	if err := f.fit(set, j); err != nil {
		t.Fatal(err)
	}
	counted, err := f.count(set, 3)
	if err != nil {
		t.Fatal(err)
	}
	for k, numbers := range counted.slices {
		if err := b.column(Column{Name: set.Slice(k), Target: set.Target, Numbers: numbers}); err != nil {
			t.Fatal(err)
		}
	}
	counted.sumInto(set.Kernel)
	w, err := b.jointWindows(set, 0, counted)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		without, reduced := w.without(set, i)
		for k := range without.Features {
			f := without.Features[k]
			if err := f.validate(); err != nil {
				t.Fatal(err)
			}
			var rest []float64
			for other, part := range w.parts {
				if other != i {
					from, to := windowRows(other, 3, len(counted.slices[k]))
					rest = append(rest, counted.slices[k][from:to]...)
					if part[k].N != uint64(to-from) || part[len(part)-1].N != part[k].N {
						t.Fatalf("window %d has %d rows of the slice and %d of the kernel", other, part[k].N, part[len(part)-1].N)
					}
				}
			}
			c := Column{Numbers: rest}
			want := f.count(&c, 0, len(rest))
			if !slices.Equal(f.Counts, want.Counts) || f.Missing != want.Missing || f.Min != want.Min || f.Max != want.Max || math.Abs(f.Sum-want.Sum) > 1e-9 {
				t.Fatalf("slice %d without window %d: %+v, want %+v", k, i, f, want)
			}
		}
		if reduced.Kernel.Rows+w.parts[i][set.Slices()].Counts[0] != set.Kernel.Rows {
			t.Fatal("kernel rows")
		}
		if e, err := set.Kernel.MMD(w.parts[i][set.Slices()].Embedded, w.parts[i][set.Slices()].Counts[0]); err != nil || e.Value > 0.2 {
			t.Fatalf("mmd of a window like the others: %v, %v", e.Value, err)
		}
	}
}

func pointers(columns []Column) []*Column {
	out := make([]*Column, len(columns))
	for i := range columns {
		out[i] = &columns[i]
	}
	return out
}

func TestJointReaderReadsWhatAgentsSee(t *testing.T) {
	columns, o := service(16, 400)
	b := mustBuild(t, columns, o)
	r, err := b.Joint[0].Reader()
	if err != nil {
		t.Fatal(err)
	}
	texts := Column{Strings: []string{"1.5", "true", "", "many", "NaN", "1e300", "Inf", "2"}, Missing: []bool{false, false, false, false, false, false, false, true}}
	row := make([]float64, 1)
	for i, want := range []float64{1.5, 1, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()} {
		if ok := r.Read([]*Column{&texts}, i, row); ok == math.IsNaN(want) || ok && row[0] != want {
			t.Errorf("%q: %v, %v", texts.Strings[i], row[0], ok)
		}
	}
	if r.Read([]*Column{nil}, 0, row) {
		t.Error("a column that is not there was read")
	}
	full, into := make([]float64, 4), make([]float64, 4)
	sums := make([]float64, r.Embedded())
	all := pointers(columns[:4])
	if n := testing.AllocsPerRun(100, func() {
		if !r.Read(all, 1, full) || !r.Project(full, into) || !r.Embed(full, sums) || r.Read(all, 3, full) || r.Project(full[:2], into) {
			t.Fatal("rows are not read")
		}
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
	full[0] = 1e200
	if r.Project(full, into) || r.Embed(full, sums) {
		t.Error("a number beyond the bound was projected")
	}
}

func TestBoundsOfSums(t *testing.T) {
	columns, o := service(17, 400)
	b := mustBuild(t, columns, o)
	kernel, err := b.Joint[0].KernelBounds()
	if err != nil {
		t.Fatal(err)
	}
	estimate, err := b.Outcome.EstimateBounds()
	if err != nil {
		t.Fatal(err)
	}
	columns, o = service(18, 400) // other rows
	o.Joint[0].Axes = 3           // axes are not the kernel's
	other := mustBuild(t, columns, o)
	other.Joint[0].Projections.Standard = b.Joint[0].Projections.Standard
	other.Joint[0].Kernel.Bandwidth = b.Joint[0].Kernel.Bandwidth
	if d, err := other.Joint[0].KernelBounds(); err != nil || d != kernel {
		t.Errorf("%s, %v: sums over other rows mean the same", d, err)
	}
	other.Joint[0].Columns[0] = "other"
	if d, err := other.Joint[0].KernelBounds(); err != nil || d == kernel {
		t.Errorf("%s, %v: sums over other columns mean something else", d, err)
	}
	if d, err := other.Outcome.EstimateBounds(); err != nil || d == estimate {
		t.Errorf("%s, %v: another calibrator promises something else", d, err)
	}
}

// What an agent spends on a row of a joint set of 20 columns.
func BenchmarkJointRow(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	columns := make([]Column, 20)
	for k := range columns {
		columns[k] = Column{Name: FeatureName(rune('a' + k)), Target: TargetFeature}
		for range 1000 {
			columns[k].Numbers = append(columns[k].Numbers, random.NormFloat64())
		}
	}
	base := mustBuild(b, columns, BuildOptions{Joint: []JointColumns{{Name: "inputs", Target: TargetMultivariate, Columns: columns}}})
	r, err := base.Joint[0].Reader()
	if err != nil {
		b.Fatal(err)
	}
	of, row := pointers(columns), make([]float64, len(columns))
	into, sums := make([]float64, base.Joint[0].Slices()), make([]float64, r.Embedded())
	b.Run("project", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if !r.Read(of, i%1000, row) || !r.Project(row, into) {
				b.Fatal("a row is not read")
			}
		}
	})
	b.Run("embed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.Embed(row, sums)
		}
	})
}

// What scoring a closed window costs.
func BenchmarkJointDrifts(b *testing.B) {
	columns, o := service(1, 4000)
	o.Windows, o.Joint[0].Axes = 20, 8
	base := mustBuild(b, columns, o)
	parts := jointWindow(b, base, inputsOf(2, 500))
	b.ReportAllocs()
	for b.Loop() {
		if found := base.JointDrifts(parts); len(found) != 6 {
			b.Fatal(found)
		}
	}
}
