package window

import (
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
	"github.com/evenkeel/evenkeel/signal"
)

// rowSketch estimates how many of the rows are different: a row is all inputs
// that the baseline watches, in its order, coordinates and texts included. A
// number is the same however it was written; a category that comes as a number
// and as text is two. A row without any value is none that could be repeated,
// and counts as missing.
type rowSketch struct {
	inputs        []rowInput
	bounds        signal.Digest // of which inputs a row is made of
	seen          *measure.HyperLogLog
	rows, missing uint64

	scratch []rowInProgress
}

type rowInput struct {
	source  *source
	numeric bool
}

// rowInProgress is a row whose first columns have been read.
type rowInProgress struct {
	hash    measure.RowHash
	present bool // some value is there
}

// rowsName is the name under which whole rows are counted.
const rowsName signal.FeatureName = "(rows)"

// rowsHash names how rows are hashed, for the bounds: sketches of another hash
// must not be merged.
const rowsHash = "rows/mix64_hll14@1"

// newRowSketch gives nil where the baseline watches no inputs.
func newRowSketch(p *Profiler, b *signal.Baseline) (*rowSketch, error) {
	r := &rowSketch{seen: new(measure.HyperLogLog)}
	var names []signal.FeatureName
	add := func(name signal.FeatureName, numeric bool) {
		if !slices.Contains(names, name) {
			names = append(names, name)
			r.inputs = append(r.inputs, rowInput{p.source(signal.TargetFeature, name), numeric})
		}
	}
	for i := range b.Features {
		if f := &b.Features[i]; f.Target == signal.TargetFeature {
			add(f.Name, f.Kind == signal.Numeric)
		}
	}
	for i := range b.Joint {
		for _, name := range b.Joint[i].Columns {
			if b.Feature(signal.TargetPrediction, name) == nil { // an output that is no input
				add(name, true)
			}
		}
	}
	for i := range b.Texts {
		if name := b.Texts[i].Column; b.Feature(signal.TargetPrediction, name) == nil {
			add(name, false)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	digest, err := canonical.Digest(struct {
		Hash   string               `json:"hash"`
		Inputs []signal.FeatureName `json:"inputs"`
	}{rowsHash, names})
	r.bounds = signal.Digest(digest)
	return r, err
}

func (r *rowSketch) add(from, to int) {
	r.scratch = slices.Grow(r.scratch[:0], to-from)[:to-from]
	clear(r.scratch)
	for _, input := range r.inputs {
		input.read(from, r.scratch)
	}
	for _, row := range r.scratch {
		if row.present {
			r.seen.Add(row.hash)
			r.rows++
		} else {
			r.missing++
		}
	}
}

// read adds the input's values, from row from on, to the rows.
func (in rowInput) read(from int, rows []rowInProgress) {
	switch col := in.source.at; {
	case col == nil:
		for k := range rows {
			rows[k].hash = rows[k].hash.Missing()
		}
	case col.Strings == nil:
		for k, x := range col.Numbers[from : from+len(rows)] {
			row := &rows[k]
			row.hash = row.hash.Number(x)
			row.present = row.present || !math.IsNaN(x)
		}
	default:
		for k := range rows {
			row := &rows[k]
			text, missing := textAt(col, from+k)
			row.present = row.present || !missing
			row.hash = in.addText(row.hash, text, missing)
		}
	}
}

func (in rowInput) addText(row measure.RowHash, text string, missing bool) measure.RowHash {
	if missing {
		return row.Missing()
	}
	if in.numeric {
		if x, ok := category.Number(text); ok {
			return row.Number(x)
		}
	}
	return row.Text(text)
}

func (r *rowSketch) take() *signal.Distribution {
	d := sums(signal.TargetRows, rowsName, r.bounds, r.rows, r.missing)
	d.Distinct = r.seen
	r.seen, r.rows, r.missing = new(measure.HyperLogLog), 0, 0
	return d
}
