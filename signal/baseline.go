package signal

import (
	"fmt"
	"math"

	"github.com/evenkeel/evenkeel/internal/canonical"
)

// BaselineFormat is the value of Baseline.Format that this code reads.
const BaselineFormat = "evenkeel.baseline/v1"

// Baseline is the approved reference that windows are compared with. It is
// built once from reference data and never changes: its identity is the digest
// of its canonical JSON.
type Baseline struct {
	Format   string            `json:"format"`
	Model    ModelRef          `json:"model"`
	Source   string            `json:"source,omitempty"` // what it was built from, for people
	Rows     uint64            `json:"rows"`
	Features []FeatureBaseline `json:"features"` // inputs and predictions
	Groups   []GroupBaseline   `json:"groups,omitempty"`
	Outcome  *OutcomeBaseline  `json:"outcome,omitempty"`
	Joint    []JointBaseline   `json:"joint,omitempty"`
	Texts    []TextBaseline    `json:"texts,omitempty"`
}

// FeatureBaseline holds one column's bounds and reference counts.
//
// Numeric: Grid has k ascending inner edges and makes k+1 cells; cell i is
// (Grid[i-1], Grid[i]], the first and last are open. Deciles are indexes into
// Grid: the edges at which PSI's cells end. Categorical: Categories in order.
// Counts has one entry for each cell.
type FeatureBaseline struct {
	Name       FeatureName `json:"name"`
	Target     Target      `json:"target"`
	Kind       Kind        `json:"kind"`
	Grid       []float64   `json:"grid,omitempty"`
	Deciles    []int       `json:"deciles,omitempty"`
	Categories []string    `json:"categories,omitempty"`
	Counts     []uint64    `json:"counts"`
	Missing    uint64      `json:"missing"`
	Other      uint64      `json:"other,omitempty"`
	N          uint64      `json:"n"` // sum(Counts) + Missing + Other
	Sum        float64     `json:"sum,omitempty"`
	SumSquares float64     `json:"sum_squares,omitempty"`
	Min        float64     `json:"min,omitempty"` // 0 where no value is finite
	Max        float64     `json:"max,omitempty"`

	// Deflation is by how much the counts of the baseline's own windows vary
	// more than independent rows would (measure.Deflation), at least 1; of
	// trigrams, also by how much those of one text belong together. 0: not known,
	// and the rows are taken as independent.
	Deflation float64 `json:"deflation,omitempty"`
}

// GroupBaseline is the reference table of one protected attribute.
type GroupBaseline struct {
	Attribute FeatureName  `json:"attribute"`
	Reference string       `json:"reference"` // the reference group
	Declared  bool         `json:"declared"`  // false: the largest group was taken
	Counts    []GroupCount `json:"counts"`
}

// Digest gives the identity of the baseline's content.
func (b *Baseline) Digest() (Digest, error) {
	d, err := canonical.Digest(b)
	return Digest(d), err
}

// Feature finds a column by target and name; nil where there is none.
func (b *Baseline) Feature(t Target, name FeatureName) *FeatureBaseline {
	for i := range b.Features {
		if b.Features[i].Target == t && b.Features[i].Name == name {
			return &b.Features[i]
		}
	}
	return nil
}

// Group finds a protected attribute's table; nil where there is none.
func (b *Baseline) Group(attribute FeatureName) *GroupBaseline {
	for i := range b.Groups {
		if b.Groups[i].Attribute == attribute {
			return &b.Groups[i]
		}
	}
	return nil
}

// Bounds gives the digest of what the cells mean: kind, edges, categories.
// Counts under equal digests may be added.
func (f *FeatureBaseline) Bounds() (Digest, error) {
	d, err := canonical.Digest(struct {
		Kind       Kind      `json:"kind"`
		Grid       []float64 `json:"grid,omitempty"`
		Categories []string  `json:"categories,omitempty"`
	}{f.Kind, f.Grid, f.Categories})
	return Digest(d), err
}

// Validate reports the first thing about the baseline that does not hold
// together, naming its place.
func (b *Baseline) Validate() error {
	if b.Format != BaselineFormat {
		return fmt.Errorf("format: %q is not %q; build the baseline again with evenkeel baseline build", b.Format, BaselineFormat)
	}
	if len(b.Features) == 0 {
		return fmt.Errorf("features: none; a baseline needs at least one column")
	}
	if err := exact("rows", b.Rows); err != nil {
		return err
	}
	for i := range b.Features {
		if err := b.Features[i].validate(); err != nil {
			return fmt.Errorf("features[%d] (%s): %w", i, b.Features[i].Name, err)
		}
	}
	if err := b.validateTables(); err != nil {
		return err
	}
	return b.validateParts()
}

func (f *FeatureBaseline) validate() error {
	cells := len(f.Categories)
	switch f.Kind {
	case Numeric:
		cells = len(f.Grid) + 1
		for i := 1; i < len(f.Grid); i++ {
			if !(f.Grid[i-1] < f.Grid[i]) || math.IsInf(f.Grid[i], 0) {
				return fmt.Errorf("grid[%d]: edges must be finite and ascending", i)
			}
		}
		for i, d := range f.Deciles {
			if d < 0 || d >= len(f.Grid) || (i > 0 && d <= f.Deciles[i-1]) {
				return fmt.Errorf("deciles[%d]: %d is not an ascending index into a grid of %d edges", i, d, len(f.Grid))
			}
		}
	case Categorical:
	default:
		return fmt.Errorf("kind: %q is neither numeric nor categorical", f.Kind)
	}
	if len(f.Counts) != cells {
		return fmt.Errorf("counts: %d entries for %d cells", len(f.Counts), cells)
	}
	if err := f.validateCounts(); err != nil {
		return err
	}
	return f.validateDeflation()
}
