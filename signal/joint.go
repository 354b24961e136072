package signal

import (
	"fmt"
	"math"

	"github.com/evenkeel/evenkeel/internal/canonical"
	"github.com/evenkeel/evenkeel/internal/category"
	"github.com/evenkeel/evenkeel/measure"
)

// Slice names the column of the baseline that holds the projections onto axis k,
// counted from 0: NAME/01 is the first. Its Target is that of the set.
func (j *JointBaseline) Slice(k int) FeatureName {
	return FeatureName(fmt.Sprintf("%s/%02d", j.Name, k+1))
}

// Slices is how many axes the set is projected onto.
func (j *JointBaseline) Slices() int { return len(j.Projections.Axes) }

// KernelBounds gives the digest of what the kernel's sums mean: the columns,
// their standardisation, the kernel. Sums under equal digests may be added. An
// error where the set has no kernel.
func (j *JointBaseline) KernelBounds() (Digest, error) {
	if j.Kernel == nil {
		return "", fmt.Errorf("%s has no kernel", j.Name)
	}
	d, err := canonical.Digest(struct {
		Columns     []FeatureName    `json:"columns"`
		Standard    measure.Standard `json:"standard"`
		Frequencies int              `json:"frequencies"`
		Bandwidth   float64          `json:"bandwidth"`
		Seed        uint64           `json:"seed"`
	}{j.Columns, j.Projections.Standard, j.Kernel.Frequencies, j.Kernel.Bandwidth, j.Kernel.Seed})
	return Digest(d), err
}

// JointReader turns rows of a joint set's columns into what a window counts of
// them. The builder of baselines and the agent use this one, so that both mean
// the same by a slice. It does not change and may be used from many goroutines;
// none of its methods allocates.
//
//	for each row: Read -> Project -> one number for each column named Slice(k)
//	                   -> Embed   -> the kernel's sums
//
// A row that one of them refuses is missing in every slice and in the sums.
type JointReader struct {
	set      *JointBaseline
	embedder *measure.Embedder // nil without a kernel
}

// Reader prepares the set, which must be valid.
func (j *JointBaseline) Reader() (*JointReader, error) {
	r := &JointReader{set: j}
	if j.Kernel == nil {
		return r, nil
	}
	var err error
	if r.embedder, err = j.Kernel.Embedder(&j.Projections.Standard); err != nil {
		return nil, fmt.Errorf("%s: %w", j.Name, err)
	}
	return r, nil
}

// Read writes row i of the set's columns into row. columns and row are in the
// order of JointBaseline.Columns and as long. Text that is a number counts as
// one, as it does in a numeric column. False, with row in no particular state,
// where a column is nil, or its value missing, no number, infinite or beyond
// measure.MaxMagnitude.
//
// A column of the set is an input of this name; where there is none, for
// embeddings that a model answers with, an output.
func (r *JointReader) Read(columns []*Column, i int, row []float64) bool {
	return readRow(columns, i, row)
}

// Project writes one number for each slice into slices. False, with slices in no
// particular state, where a number of the row is not finite or beyond
// measure.MaxMagnitude, and where row or slices have another length.
func (r *JointReader) Project(row, slices []float64) bool {
	p := r.set.Projections
	if len(row) != len(p.Standard.Mean) || len(slices) != len(p.Axes) {
		return false
	}
	for _, x := range row {
		if !(math.Abs(x) <= measure.MaxMagnitude) {
			return false
		}
	}
	return p.Project(row, slices) == nil
}

// Embed adds the row's place in the kernel's space to sums, which has Embedded
// numbers. False, with sums as they were, where Project is and where the set has
// no kernel.
func (r *JointReader) Embed(row, sums []float64) bool {
	return r.embedder != nil && r.embedder.Add(row, sums)
}

// Embedded is how many sums the kernel has; 0 without a kernel.
func (r *JointReader) Embedded() int {
	if r.embedder == nil {
		return 0
	}
	return r.embedder.Size()
}

func readRow(columns []*Column, i int, row []float64) bool {
	for k, c := range columns {
		x, ok := c.number(i)
		if !ok {
			return false
		}
		row[k] = x
	}
	return true
}

// number reads row i as a number; false where it is missing or none that may be
// counted. A nil column has no numbers.
func (c *Column) number(i int) (float64, bool) {
	if c == nil {
		return 0, false
	}
	x := math.NaN()
	switch {
	case c.Strings == nil:
		x = c.Numbers[i]
	case !c.missing(i):
		if v, ok := category.Number(c.Strings[i]); ok {
			x = v
		}
	}
	return x, math.Abs(x) <= measure.MaxMagnitude
}
