package signal

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/evenkeel/evenkeel/measure"
)

// JointColumns are columns of numbers that are to be watched together.
type JointColumns struct {
	Name    FeatureName
	Target  Target   // TargetMultivariate or TargetEmbedding
	Columns []Column // their names are those under which the agent sees them
	Axes    int      // 0: 8

	// Frequencies is how many the kernel has; 0: 64, below 0: no kernel. It costs
	// about 30 ns a row and frequency.
	Frequencies int
}

const (
	defaultAxes        = 8
	defaultFrequencies = 64
)

// Seeds of random axes and frequencies, and of which rows find them. They are
// part of a baseline's content, and the same for all: nothing is secret here.
const (
	seedAxes    = 1
	seedKernel  = 2
	seedFitRows = 3
)

// The axes are found on a sample of the complete rows, drawn at random, and the
// others are counted. Rows look more spread along axes that were fitted to them
// than any later row will, the more so the more columns there are for the rows:
// with 300 independent columns and 6,000 rows that were both fitted and counted,
// 81% of the windows without a change were above a limit meant for 5%. The sample
// is a tenth of the rows, of few rows a thousand or a quarter, and never more than
// this.
const maxFitRows = 20_000

func fitShare(rows int) float64 {
	n := float64(rows)
	return min(maxFitRows, n/4, max(1000, n/10)) / max(1, n)
}

// joint adds a set: its slices as columns, and its kernel.
func (b *builder) joint(j JointColumns) error {
	columns := make([]*Column, len(j.Columns))
	set := JointBaseline{Name: j.Name, Target: j.Target}
	for i := range j.Columns {
		columns[i] = &j.Columns[i]
		if uint64(columns[i].rows()) != b.Rows {
			return fmt.Errorf("column %q has %d rows, the others %d", columns[i].Name, columns[i].rows(), b.Rows)
		}
		set.Columns = append(set.Columns, columns[i].Name)
	}
	if len(columns) < 2 {
		return errors.New("fewer than two columns")
	}
	f := newJointFit(columns, int(b.Rows))
	if err := f.fit(&set, j); err != nil {
		return err
	}
	counted, err := f.count(&set, max(1, b.o.Windows))
	if err != nil {
		return err
	}
	first := len(b.Features)
	for k, numbers := range counted.slices {
		if err := b.column(Column{Name: set.Slice(k), Target: set.Target, Numbers: numbers}); err != nil {
			return err
		}
	}
	counted.sumInto(set.Kernel)
	if b.o.Windows > 0 {
		if set.Limits, err = b.jointLimits(&set, first, counted); err != nil {
			return err
		}
	}
	b.Joint = append(b.Joint, set)
	return nil
}

// jointFit is which rows find the axes and which are counted.
type jointFit struct {
	columns []*Column
	rows    int
	sample  [][]float64 // the rows that find the axes
	taken   []bool      // which rows these are
}

func newJointFit(columns []*Column, rows int) *jointFit {
	f := &jointFit{columns: columns, rows: rows, taken: make([]bool, rows)}
	row := make([]float64, len(columns))
	complete := 0
	for i := range rows {
		if readRow(columns, i, row) {
			complete++
		}
	}
	share := fitShare(complete)
	random := rand.New(rand.NewPCG(seedFitRows, 0))
	for i := range rows {
		if readRow(columns, i, row) && random.Float64() < share {
			f.sample = append(f.sample, append([]float64(nil), row...))
			f.taken[i] = true
		}
	}
	return f
}

// fit finds axes and kernel. A sample whose rows are mostly equal has axes but no
// distance between its rows, and so no kernel.
func (f *jointFit) fit(set *JointBaseline, j JointColumns) error {
	var err error
	set.Projections, err = measure.FitProjections(f.sample, cmp.Or(j.Axes, defaultAxes), seedAxes)
	if err != nil {
		return fmt.Errorf("%d complete rows to find the axes: %w", len(f.sample), err)
	}
	if j.Frequencies < 0 {
		return nil
	}
	set.Kernel, err = measure.FitKernel(&set.Projections.Standard, f.sample, cmp.Or(j.Frequencies, defaultFrequencies), seedKernel)
	if err != nil && !errors.Is(err, measure.ErrUndefined) {
		return err
	}
	return nil
}

// jointCounts are the rows that are counted: their slices, and the kernel's sums
// of each window.
type jointCounts struct {
	slices  [][]float64 // for each axis one number for each row; NaN where the row is missing
	windows []kernelSums
}

// kernelSums is what a window holds of a kernel.
type kernelSums struct {
	rows, missing uint64
	sums          []float64
}

// count projects and embeds every row that did not find the axes.
func (f *jointFit) count(set *JointBaseline, windows int) (*jointCounts, error) {
	reader, err := set.Reader()
	if err != nil {
		return nil, err
	}
	rest := f.rows - len(f.sample)
	c := &jointCounts{slices: make([][]float64, set.Slices()), windows: make([]kernelSums, windows)}
	for k := range c.slices {
		c.slices[k] = make([]float64, 0, rest)
	}
	row, projected := make([]float64, len(f.columns)), make([]float64, set.Slices())
	window := 0
	for i := range f.rows {
		if f.taken[i] {
			continue
		}
		for _, to := windowRows(window, windows, rest); len(c.slices[0]) >= to && window < windows-1; _, to = windowRows(window, windows, rest) {
			window++
		}
		complete := reader.Read(f.columns, i, row) && reader.Project(row, projected)
		c.windows[window].add(reader, row, complete)
		for k, x := range projected {
			if !complete {
				x = math.NaN()
			}
			c.slices[k] = append(c.slices[k], x)
		}
	}
	return c, nil
}

func (w *kernelSums) add(reader *JointReader, row []float64, complete bool) {
	if w.sums == nil {
		w.sums = make([]float64, reader.Embedded())
	}
	if complete && reader.Embed(row, w.sums) {
		w.rows++
	} else {
		w.missing++
	}
}

// sumInto makes the kernel that of the rows that were counted.
func (c *jointCounts) sumInto(k *measure.Kernel) {
	if k == nil {
		return
	}
	k.Rows = 0
	clear(k.Sums)
	for _, w := range c.windows {
		k.Rows += w.rows
		for i, s := range w.sums {
			k.Sums[i] += s
		}
	}
}
