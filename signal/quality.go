package signal

import (
	"math"
	"strconv"

	"github.com/evenkeel/evenkeel/measure"
)

// requiredMissing is up to which share of missing values in the baseline an
// input is required: that much was approved as an accident, more as a habit.
const requiredMissing = 0.01

// conventionConstant is that of whether a column holds one value only.
const conventionConstant = "constant_column@1"

// Quality gives the shares of an input's values that are missing, of a type
// that does not fit, out of the baseline's range, or of a category that the
// baseline has not, each with its Wilson interval; and whether the column holds
// one value only, 1 or 0, where the baseline held several. f is the baseline's
// column, nil where there is none. The attribute evenkeel.feature.required says
// whether the baseline had a value in at least 99% of its rows. Other columns
// than inputs give nothing, and neither do empty windows.
//
// Where requests were lost, the siblings least and greatest say what a share of
// all rows can have been: the interval knows only of chance, and loss is not
// random.
func Quality(f *FeatureBaseline, d *Distribution, confidence float64) []Quantity {
	if d.Target != TargetFeature {
		return nil
	}
	counts := measure.QualityCounts{Rows: d.N, Missing: d.Missing, TypeFault: d.Invalid, New: d.New}
	outside := counts
	outside.OutOfRange = d.OutOfRange
	required := strconv.FormatBool(f != nil && float64(f.Missing) <= float64(requiredMissing*float64(f.N)))
	lost := d.lostRows(float64(d.N))
	var out []Quantity
	add := func(violation string, e measure.Estimate) *Quantity {
		out = append(out, Quantity{Metric: MetricQuality, Dimensions: []Dimension{
			{KeyViolation, violation},
			{KeyFeatureName, string(d.Feature)},
			{KeyFeatureRequired, required},
			{KeyBaselineID, d.Baseline.Short()},
		}, Estimate: e})
		return &out[len(out)-1]
	}
	for _, m := range []struct {
		violation string
		applies   bool
		faults    uint64
		share     func(confidence float64) (measure.Estimate, error)
	}{
		{ViolationMissing, true, d.Missing, counts.MissingShare},
		{ViolationType, true, d.Invalid, counts.TypeFaultShare},
		{ViolationOutOfRange, d.Kind == Numeric && f != nil, d.OutOfRange, outside.OutOfRangeShare},
		{ViolationNewCategory, d.Kind == Categorical && f != nil, d.New, counts.NewCategoryShare},
	} {
		if !m.applies {
			continue
		}
		e, err := m.share(confidence)
		if err != nil {
			continue
		}
		add(m.violation, e).bounded(measure.Proportion{Favourable: m.faults, Total: e.Samples}, lost)
	}
	if constant, err := f.constant(d); err == nil {
		e := measure.Estimate{Samples: total(d.Counts) + d.Other + d.New, Convention: conventionConstant}
		if constant {
			e.Value = 1
		}
		add(ViolationConstant, e)
	}
	return out
}

// constant says whether the window holds one value only. Undefined where the
// baseline's column does, or where that cannot be said of either.
func (f *FeatureBaseline) constant(d *Distribution) (bool, error) {
	if f == nil {
		return false, measure.ErrUndefined
	}
	if f.Kind == Categorical {
		if was, err := measure.ConstantCategories(f.Counts, f.Other); err != nil || was {
			return false, measure.ErrUndefined
		}
		return measure.ConstantCategories(d.Counts, d.Other+d.New)
	}
	if was, err := measure.ConstantNumbers(f.moments()); err != nil || was {
		return false, measure.ErrUndefined
	}
	return measure.ConstantNumbers(d.moments())
}

// Duplicates gives the share of whole rows that repeat another row of the window,
// from the sketch of a distribution of TargetRows. Others give nothing, and
// neither do empty windows.
func Duplicates(d *Distribution, confidence float64) []Quantity {
	if d.Target != TargetRows || d.Distinct == nil {
		return nil
	}
	e, err := measure.DuplicateShare(d.Distinct, total(d.Counts), confidence)
	if err != nil {
		return nil
	}
	return []Quantity{{Metric: MetricQuality, Dimensions: []Dimension{
		{KeyViolation, ViolationDuplicate},
		{KeyFeatureName, string(d.Feature)},
		{KeyBaselineID, d.Baseline.Short()},
	}, Estimate: e}}
}

// lostRows is how many such rows the window lost, where rows are there for all
// requests that were not: its lost requests, times the rows that a request has on
// average, rounded up. Requests that were left out by sampling are not lost, so a
// sample lost as many rows as it would have kept of them; none of those that were
// left out unread could have been lost. Where no request came
// through, each that was lost counts for one row at least.
func (d *Distribution) lostRows(rows float64) uint64 {
	lost := float64(d.Capture.Dropped) + float64(d.Capture.Undecodable)
	if lost == 0 {
		return 0
	}
	each := 1.0
	if through := float64(d.Capture.Profiled) + float64(d.Capture.SampledOut) - float64(d.Capture.Unread); through > 0 {
		each = rows / through
	}
	if n := math.Ceil(float64(lost * each)); n < math.MaxInt64 {
		return uint64(n)
	}
	return math.MaxInt64
}

// bounded sets least and greatest beside a share of which rows were lost.
func (q *Quantity) bounded(p measure.Proportion, lost uint64) {
	if lost == 0 {
		return
	}
	if least, greatest, err := measure.LossBounds(p, lost); err == nil {
		q.Beside = append(q.Beside, Sibling{SuffixLeast, least}, Sibling{SuffixGreatest, greatest})
	}
}
