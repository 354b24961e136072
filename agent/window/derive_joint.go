package window

import (
	"math"

	"github.com/evenkeel/evenkeel/signal"
)

// jointCount counts several columns together: one number for each axis, which a
// column of the baseline counts, and the sums of the kernel's features.
type jointCount struct {
	set     *signal.JointBaseline
	reader  *signal.JointReader
	sources []either
	slices  []*column

	bounds        signal.Digest // of the sums; empty without a kernel
	sums          []float64
	rows, missing uint64 // in and not in the sums

	columns        []*signal.Column // scratch: of the observation at hand
	row, projected []float64        // scratch: of one row
}

func newJointCount(p *Profiler, set *signal.JointBaseline, derived map[columnKey]*column) (*jointCount, error) {
	reader, err := set.Reader()
	if err != nil {
		return nil, err
	}
	j := &jointCount{
		set: set, reader: reader,
		sums: make([]float64, reader.Embedded()),
		row:  make([]float64, len(set.Columns)), columns: make([]*signal.Column, len(set.Columns)),
		projected: make([]float64, set.Slices()),
	}
	for _, name := range set.Columns {
		j.sources = append(j.sources, p.either(name))
	}
	for k := range set.Slices() {
		j.slices = append(j.slices, derived[columnKey{set.Target, set.Slice(k)}])
	}
	if set.Kernel != nil {
		j.bounds, err = set.KernelBounds()
	}
	return j, err
}

func (j *jointCount) add(from, to int) {
	for k, s := range j.sources {
		j.columns[k] = s.at()
	}
	for i := from; i < to; i++ {
		if !j.reader.Read(j.columns, i, j.row) || !j.reader.Project(j.row, j.projected) {
			j.lack()
			continue
		}
		for k, c := range j.slices {
			c.addNumbers(j.projected[k : k+1])
		}
		if j.reader.Embed(j.row, j.sums) {
			j.rows++
		}
	}
	clear(j.columns)
}

// lack counts a row that has not every column: it is missing in all parts.
func (j *jointCount) lack() {
	j.missing++
	for _, c := range j.slices {
		c.missing++
	}
}

func (j *jointCount) take() *signal.Distribution {
	if j.bounds == "" {
		j.missing = 0
		return nil
	}
	d := sums(j.set.Target, j.set.Name, j.bounds, j.rows, j.missing)
	if j.rows > 0 {
		d.Embedded = j.sums
		j.sums = make([]float64, len(j.sums))
	}
	j.rows, j.missing = 0, 0
	return d
}

// sums makes a distribution without cells of its own: so many rows are in what
// it holds, and so many could not be added.
func sums(target signal.Target, name signal.FeatureName, bounds signal.Digest, rows, missing uint64) *signal.Distribution {
	return &signal.Distribution{
		Target: target, Feature: name, Kind: signal.Sums, Bounds: bounds,
		Counts: []uint64{rows}, Missing: missing, N: rows + missing,
		Min: math.NaN(), Max: math.NaN(),
	}
}
