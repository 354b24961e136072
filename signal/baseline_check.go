package signal

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// maxExact is the largest whole number that JSON, whose numbers are doubles,
// holds without rounding. A larger count or seed would change the digest of what
// is read back.
const maxExact = 1 << 53

// exact refuses numbers that a baseline's file cannot hold.
func exact(what string, numbers ...uint64) error {
	for _, n := range numbers {
		if n > maxExact {
			return fmt.Errorf("%s: %d is beyond 2^53, up to which JSON counts exactly", what, n)
		}
	}
	return nil
}

// validateParts checks what a baseline holds beside columns and groups.
func (b *Baseline) validateParts() error {
	if b.Outcome != nil {
		if err := b.Outcome.validate(b); err != nil {
			return fmt.Errorf("outcome: %w", err)
		}
	}
	for i := range b.Joint {
		j := &b.Joint[i]
		if err := j.validate(b); err != nil {
			return fmt.Errorf("joint[%d] (%s): %w", i, j.Name, err)
		}
		if slices.ContainsFunc(b.Joint[:i], func(o JointBaseline) bool { return o.Name == j.Name }) {
			return fmt.Errorf("joint[%d] (%s): a second set of this name", i, j.Name)
		}
	}
	for i := range b.Texts {
		t := &b.Texts[i]
		if err := t.validate(b); err != nil {
			return fmt.Errorf("texts[%d] (%s): %w", i, t.Column, err)
		}
		if slices.ContainsFunc(b.Texts[:i], func(o TextBaseline) bool { return o.Column == t.Column }) {
			return fmt.Errorf("texts[%d] (%s): the column is there twice", i, t.Column)
		}
	}
	return nil
}

func (o *OutcomeBaseline) validate(b *Baseline) error {
	if b.Feature(TargetPrediction, o.Output) == nil {
		return fmt.Errorf("output: %q is no prediction of the baseline", o.Output)
	}
	if o.Favourable != nil {
		if err := o.Favourable.check(); err != nil {
			return fmt.Errorf("favourable: %w", err)
		}
	}
	if o.Score != "" {
		f := b.Feature(TargetPrediction, o.Score)
		switch {
		case o.Favourable == nil:
			return fmt.Errorf("score: %q of which outcome? none is favourable", o.Score)
		case f == nil || f.Kind != Numeric:
			return fmt.Errorf("score: %q is no numeric prediction of the baseline", o.Score)
		}
	}
	if o.Calibrator == nil {
		return nil
	}
	if o.Score == "" {
		return errors.New("calibrator: there is no score to calibrate")
	}
	if err := exact("calibrator", o.Calibrator.Rows); err != nil {
		return err
	}
	return o.Calibrator.Validate()
}

func (j *JointBaseline) validate(b *Baseline) error {
	switch {
	case j.Name == "":
		return errors.New("name: empty")
	case j.Target != TargetMultivariate && j.Target != TargetEmbedding:
		return fmt.Errorf("target: %q is neither %s nor %s", j.Target, TargetMultivariate, TargetEmbedding)
	case j.Projections == nil:
		return errors.New("projections: missing")
	}
	if err := j.Projections.Check(); err != nil {
		return err
	}
	if err := exact("projections", j.Projections.Seed); err != nil {
		return err
	}
	if n := len(j.Projections.Standard.Mean); n != len(j.Columns) {
		return fmt.Errorf("columns: %d, but the projections are of %d", len(j.Columns), n)
	}
	for i, name := range j.Columns {
		if name == "" || slices.Contains(j.Columns[:i], name) {
			return fmt.Errorf("columns[%d]: %q is empty or there twice", i, name)
		}
	}
	for k := range j.Slices() {
		if f := b.Feature(j.Target, j.Slice(k)); f == nil || f.Kind != Numeric {
			return fmt.Errorf("projections: features has no numeric column %s %s for axis %d", j.Target, j.Slice(k), k)
		}
	}
	if j.Kernel != nil {
		if err := j.Kernel.Validate(); err != nil {
			return err
		}
		if err := exact("kernel", j.Kernel.Rows, j.Kernel.Seed); err != nil {
			return err
		}
	}
	return j.validateLimits()
}

func (j *JointBaseline) validateLimits() error {
	for i, l := range j.Limits {
		known := l.Method == DriftSlicedWasserstein || l.Method == DriftSlicedJS || l.Method == DriftMMD && j.Kernel != nil
		switch {
		case !known:
			return fmt.Errorf("limits[%d]: the set has no method %q", i, l.Method)
		case !(l.Value >= 0) || math.IsInf(l.Value, 0) || !(l.Alpha > 0 && l.Alpha < 1) || l.Windows < 1 || l.Rows < 1 || l.Rows > maxExact:
			return fmt.Errorf("limits[%d] (%s): %v at %v from %d windows of %d rows is no limit", i, l.Method, l.Value, l.Alpha, l.Windows, l.Rows)
		case slices.ContainsFunc(j.Limits[:i], func(o JointLimit) bool { return o.Method == l.Method }):
			return fmt.Errorf("limits[%d] (%s): a second limit for the method", i, l.Method)
		}
	}
	return nil
}

// maxTrigrams bounds the cells of a text's trigrams.
const maxTrigrams = 4096

func (t *TextBaseline) validate(b *Baseline) error {
	if t.Column == "" || t.Trigrams < 0 || t.Trigrams > maxTrigrams {
		return fmt.Errorf("a column without a name, or %d cells of trigrams, of which there may be 0 to %d", t.Trigrams, maxTrigrams)
	}
	for _, c := range t.described() {
		f := b.Feature(TargetText, t.Name(c.what))
		if f == nil || f.Kind != c.kind {
			return fmt.Errorf("features has no %s column %s %s", c.kind, TargetText, t.Name(c.what))
		}
		if c.what == TextTrigrams && !slices.Equal(f.Categories, trigramCells(t.Trigrams)) {
			return fmt.Errorf("%s: the categories are not the %d cells \"0\", \"1\" and so on", f.Name, t.Trigrams)
		}
	}
	return nil
}

type describedColumn struct {
	what string
	kind Kind
}

// described lists the columns that a text is described by.
func (t *TextBaseline) described() []describedColumn {
	all := []describedColumn{{TextLength, Numeric}, {TextTokens, Numeric}, {TextNonLetters, Numeric}, {TextScript, Categorical}, {TextTrigrams, Categorical}}
	if t.Trigrams == 0 {
		return all[:4]
	}
	return all
}

// trigramCells names the cells that trigrams fall into.
func trigramCells(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = strconv.Itoa(i)
	}
	return out
}

// validateCounts checks that the cells add up.
func (f *FeatureBaseline) validateCounts() error {
	if err := exact("counts", append([]uint64{f.Missing, f.Other, f.N}, f.Counts...)...); err != nil {
		return err
	}
	sum := f.Missing + f.Other
	for _, c := range f.Counts {
		sum = min(maxExact+1, sum+c) // cannot wrap around
	}
	if sum != f.N {
		return fmt.Errorf("n: %d, but the cells add up to %d", f.N, sum)
	}
	return nil
}

// validateDeflation refuses one below 1; 0 means that it is not known.
func (f *FeatureBaseline) validateDeflation() error {
	if f.Deflation != 0 && !(f.Deflation >= 1 && f.Deflation <= measure.MaxMagnitude) {
		return fmt.Errorf("deflation: %v; at least 1, or none", f.Deflation)
	}
	return nil
}
